{{ config(materialized='view', meta={'day': 'pull_date'}) }}
with

image_fetches as (

    select * from {{ ref('int_image_fetches') }}
    where fetch_kind = 'pull'

),

manifest_fetches as (

    select * from {{ ref('int_manifest_fetches') }}
    where fetch_kind = 'pull'

)

select
    fetch_id as pull_id,
    'gcs_usage' as log_source,
    bucket_name as resource_name,
    image,
    image_id,
    image_id_source,
    cast(null as string) as tag,
    cast(null as string) as index_digest,
    cast(null as string) as manifest_digest,
    client_id,
    client_network,
    client_tool,
    client_version,
    traffic_class,
    cast(null as string) as principal_id,
    cast(null as string) as principal_kind,
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
union all
select
    fetch_id as pull_id,
    'cloud_audit' as log_source,
    resource_name,
    image,
    image_id,
    image_id_source,
    tag,
    index_digest,
    manifest_digest,
    client_id,
    client_network,
    client_tool,
    client_version,
    traffic_class,
    principal_id,
    principal_kind,
    'request' as attribution,
    case when manifest_digest is null then 'ambiguous' else 'inferred' end as count_confidence,
    blob_count,
    request_count,
    cast(null as int64) as served_bytes,
    true as is_complete,
    started_micros,
    ended_micros,
    session_date,
    fetch_date as pull_date
from manifest_fetches
