{{ config(materialized='view', meta={'day': 'event_date'}) }}
{%- set union_all = joiner('union all') %}
{%- if 'gcs_usage' in logs() %}
{{ union_all() }}
select
    'gcs_usage' as log_source,
    bucket_name as resource_name,
    client_id,
    client_network,
    client_tool,
    client_version,
    client_class,
    traffic_class,
    cast(null as string) as principal_kind,
    'docker' as package_format,
    operation,
    object_kind,
    image,
    status_code,
    request_bytes,
    response_bytes,
    started_micros,
    event_date
from {{ ref('pullstats', 'int_gcs_requests') }}
{%- endif %}
{%- if 'cloud_audit' in logs() %}
{{ union_all() }}
select
    'cloud_audit' as log_source,
    resource_name,
    client_id,
    client_network,
    client_tool,
    client_version,
    client_class,
    traffic_class,
    principal_kind,
    package_format,
    operation,
    object_kind,
    image,
    status_code,
    cast(null as int64) as request_bytes,
    cast(null as int64) as response_bytes,
    started_micros,
    event_date
from {{ ref('pullstats', 'int_artifact_registry_requests') }}
{%- endif %}
