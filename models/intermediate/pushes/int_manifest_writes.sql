{{ config(
    enabled='cloud_audit' in logs(),
    materialized='incremental',
    unique_key='activity_date',
    partition_by=by_day('activity_date'),
    cluster_by=['image'],
    meta={'restates': {'cloud_audit': [0, 0]}},
) }}
{%- set restated = restated_days() %}
with

requests as (

    select * from {{ ref('pullstats', 'int_artifact_registry_requests') }}
    where {{ is_restated('event_date', restated) }}

)

select
    request_key,
    client_id,
    client_network,
    client_tool,
    client_version,
    traffic_class,
    principal_id,
    principal_kind,
    resource_name,
    image,
    object_kind,
    tag,
    digest,
    started_micros,
    event_date as activity_date
from requests
where
    operation = 'write'
    and object_kind in ('manifest', 'blob', 'upload')
    and status_code = 200
    and image is not null
