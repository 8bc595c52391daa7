{{ config(materialized='view', meta={'day': 'session_date'}) }}
{%- set union_all = joiner('union all') %}
{%- if 'gcs_usage' in logs() %}
{{ union_all() }}
select
    fetch_id,
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
    fetch_kind,
    attribution,
    count_confidence,
    blob_count,
    request_count,
    served_bytes,
    is_complete,
    started_micros,
    ended_micros,
    session_date,
    fetch_date
from {{ ref('pullstats', 'int_blob_fetches') }}
{%- endif %}
{%- if 'cloud_audit' in logs() %}
{{ union_all() }}
select
    manifest_fetches.fetch_id,
    'cloud_audit' as log_source,
    manifest_fetches.resource_name,
    manifest_fetches.image,
    configs.config_digest as image_id,
    coalesce(configs.config_source, 'none') as image_id_source,
    manifest_fetches.tag,
    manifest_fetches.index_digest,
    manifest_fetches.manifest_digest,
    manifest_fetches.client_id,
    manifest_fetches.client_network,
    manifest_fetches.client_tool,
    manifest_fetches.client_version,
    manifest_fetches.traffic_class,
    manifest_fetches.principal_id,
    manifest_fetches.principal_kind,
    case
        when manifest_fetches.fetch_kind = 'pull' and configs.is_artifact then 'artifact'
        else manifest_fetches.fetch_kind
    end as fetch_kind,
    'request' as attribution,
    case
        when manifest_fetches.fetch_kind != 'pull' or configs.is_artifact then null
        when manifest_fetches.manifest_digest is null then 'ambiguous'
        -- manifest and blobs agree: the config was read first
        when
            manifest_fetches.is_plain
            and manifest_fetches.is_complete
            and configs.is_config_certain
            and configs.config_digest = manifest_fetches.first_blob_digest
            then 'certain'
        else 'inferred'
    end as count_confidence,
    manifest_fetches.blob_count,
    manifest_fetches.request_count,
    cast(null as int64) as served_bytes,
    manifest_fetches.is_complete,
    manifest_fetches.started_micros,
    manifest_fetches.ended_micros,
    manifest_fetches.session_date,
    manifest_fetches.fetch_date
from {{ ref('pullstats', 'int_manifest_fetches') }} as manifest_fetches
left join {{ ref('pullstats', 'int_manifest_configs') }} as configs
    on manifest_fetches.manifest_digest = configs.manifest_digest
{%- endif %}
