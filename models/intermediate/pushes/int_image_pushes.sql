{{ config(materialized='view') }}
{%- set union_all = joiner('union all') %}
{%- if 'gcs_usage' in logs() %}
{{ union_all() }}
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
    cast(null as string) as principal_id,
    cast(null as string) as principal_kind,
    attribution,
    tags,
    cast(null as string) as manifest_digest,
    cast(null as string) as previous_manifest_digest,
    blob_count,
    manifest_count,
    written_bytes,
    started_micros,
    ended_micros
from {{ ref('pullstats', 'int_gcs_image_pushes') }}
{%- endif %}
{%- if 'cloud_audit' in logs() %}
{{ union_all() }}
select
    push_id,
    'cloud_audit' as log_source,
    resource_name,
    image,
    cast(null as string) as image_id,
    client_id,
    client_network,
    client_tool,
    client_version,
    traffic_class,
    principal_id,
    principal_kind,
    'path' as attribution,
    tag as tags,
    manifest_digest,
    previous_manifest_digest,
    cast(null as int64) as blob_count,
    manifest_count,
    cast(null as int64) as written_bytes,
    started_micros,
    ended_micros
from {{ ref('pullstats', 'int_artifact_registry_image_pushes') }}
{%- endif %}
