{{ config(materialized='view') }}
with

gcs_image_pushes as (

    select * from {{ ref('int_gcs_image_pushes') }}

)

select
    push_id,
    'gcs_usage' as log_source,
    bucket_name as resource_name,
    image,
    image_id,
    client_id,
    client_network,
    client_tool,
    client_version,
    traffic_class,
    attribution,
    tags,
    blob_count,
    manifest_count,
    written_bytes,
    started_micros,
    ended_micros
from gcs_image_pushes
