with

source as (

    -- BigQuery's ingestion time is a pseudo column, which `*` leaves out
    select
        *,
        _partitiontime as loaded_at
    from {{ optional_source('gcs', 'usage') }}

),

renamed as (

    select
        nullif(s_request_id, '') as gcs_request_id,
        nullif(c_ip, '') as client_ip,
        nullif(c_ip_region, '') as client_ip_region,
        nullif(cs_method, '') as http_method,
        nullif(cs_uri, '') as request_uri,
        nullif(cs_host, '') as http_host,
        nullif(cs_referer, '') as referer,
        nullif(cs_user_agent, '') as user_agent,
        nullif(cs_operation, '') as gcs_operation,
        nullif(cs_bucket, '') as bucket_name,
        nullif(cs_object, '') as object_name,
        c_ip_type as client_ip_type,
        sc_status as status_code,
        cs_bytes as request_bytes,
        sc_bytes as response_bytes,
        time_taken_micros as duration_micros,
        time_micros as started_micros,
        cast({{ micros_to_timestamp(valid_micros('time_micros')) }} as date) as event_date,
        {{ micros_to_timestamp(valid_micros('time_micros')) }} as started_at,
        loaded_at

    from source

)

select * from renamed
