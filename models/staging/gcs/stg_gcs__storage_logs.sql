with

source as (

    select * from {{ source('gcs', 'storage') }}

),

renamed as (

    select
        nullif(bucket, '') as bucket_name,
        object_uri as log_object,
        storage_byte_hours,
        cast(log_hour as date) as storage_date,
        _partitiontime as loaded_at

    from source

)

select * from renamed
