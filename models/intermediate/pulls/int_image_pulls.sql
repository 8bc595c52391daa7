{{ config(materialized='view', meta={'day': 'pull_date'}) }}
with

image_fetches as (

    select * from {{ ref('int_image_fetches') }}
    where fetch_kind = 'pull'

)

select
    fetch_id as pull_id,
    'gcs_usage' as log_source,
    bucket_name as resource_name,
    image,
    image_id,
    image_id_source,
    client_id,
    client_network,
    client_tool,
    client_version,
    traffic_class,
    attribution,
    count_confidence,
    blob_count,
    request_count,
    served_bytes,
    is_complete,
    started_micros,
    ended_micros,
    session_date,
    fetch_date as pull_date
from image_fetches
