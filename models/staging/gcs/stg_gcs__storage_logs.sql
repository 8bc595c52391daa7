with

source as (

    -- BigQuery's ingestion time is a pseudo column, which `*` leaves out
    select
        *,
        _partitiontime as loaded_at
    from {{ optional_source('gcs', 'storage') }}

),

renamed as (

    select
        nullif(bucket, '') as bucket_name,
        object_uri as log_object,
        {{ valid_number('storage_byte_hours', 24 * 2 ** 50) }} as storage_byte_hours,
        cast({{ micros_to_timestamp(
            valid_micros(micros_of_timestamp('log_hour'), 'loaded_at')
        ) }} as date) as storage_date,
        loaded_at

    from source

)

select * from renamed
