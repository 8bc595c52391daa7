{{ config(materialized='view', meta={'day': 'event_date'}) }}
with

gcs_requests as (

    select * from {{ ref('int_gcs_requests') }}

)

select
    request_key,
    'gcs_usage' as log_source,
    bucket_name as resource_name,
    client_id,
    client_network,
    client_tool,
    client_version,
    client_class,
    traffic_class,
    operation,
    object_kind,
    image,
    tag,
    digest,
    status_code,
    request_bytes,
    response_bytes,
    duration_micros,
    started_micros,
    event_date
from gcs_requests
