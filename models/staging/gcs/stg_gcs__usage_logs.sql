{{ config(enabled='gcs_usage' in logs()) }}
with

source as (

    -- BigQuery's ingestion time is a pseudo column, which `*` leaves out
    select
        *,
        _partitiontime as loaded_at
    from {{ optional_source('gcs', 'usage') }}

),

bounded as (

    select
        *,
        {{ valid_number('sc_status', 999) }} as status_code,
        {{ valid_number('cs_bytes', 2 ** 50) }} as request_bytes,
        {{ valid_number('sc_bytes', 2 ** 50) }} as response_bytes,
        {{ valid_number('time_taken_micros', 7 * 86400 * 10 ** 6) }} as duration_micros,
        {{ valid_micros('time_micros', 'loaded_at') }} as started_micros
    from source

),

renamed as (

    select
        nullif(s_request_id, '') as gcs_request_id,
        nullif(c_ip, '') as client_ip,
        nullif(cs_method, '') as http_method,
        nullif(cs_referer, '') as referer,
        nullif(cs_user_agent, '') as user_agent,
        nullif(cs_operation, '') as gcs_operation,
        nullif(cs_bucket, '') as bucket_name,
        nullif(cs_object, '') as object_name,
        status_code,
        request_bytes,
        response_bytes,
        duration_micros,
        started_micros,
        (
            started_micros = 0
            or coalesce(sc_status, 0) != coalesce(status_code, 0)
            or coalesce(cs_bytes, 0) != coalesce(request_bytes, 0)
            or coalesce(sc_bytes, 0) != coalesce(response_bytes, 0)
            or coalesce(time_taken_micros, 0) != coalesce(duration_micros, 0)
        ) as has_invalid_number,
        cast({{ micros_to_timestamp('started_micros') }} as date) as event_date,
        {{ micros_to_timestamp('started_micros') }} as started_at,
        loaded_at

    from bounded

)

select * from renamed
