with

source as (

    select * from {{ optional_source('loader', 'loaded_objects') }}

),

renamed as (

    select
        object_uri as log_object,
        kind as log_kind,
        row_count as landed_rows,
        rejected_count as rejected_lines,
        {{ micros_to_timestamp(valid_micros(micros_of_timestamp('log_hour'), 'loaded_at')) }}
            as log_hour,
        loaded_at

    from source

)

select * from renamed
