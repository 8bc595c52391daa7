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
        storage_byte_hours,
        cast(log_hour as date) as storage_date,
        loaded_at

    from source

)

select * from renamed
