{{ config(
    enabled='gcs_usage' in logs(),
    materialized='incremental',
    unique_key='activity_date',
    partition_by=by_day('activity_date'),
    cluster_by=['bucket_name', 'object_kind'],
    meta={'restates': {'gcs_usage': [0, 0]}},
) }}
{%- set restated = restated_days() %}
with

requests as (

    select * from {{ ref('pullstats', 'int_gcs_requests') }}
    where {{ is_restated('event_date', restated) }}

)

select
    client_id,
    client_network,
    client_tool,
    client_version,
    traffic_class,
    bucket_name,
    object_kind,
    digest,
    image,
    repository,
    tag,
    request_bytes as written_bytes,
    started_micros as written_micros,
    {{ ended_micros('started_micros', 'duration_micros') }} as ended_micros,
    event_date as activity_date
from requests
where
    operation = 'write'
    and object_kind in ('blob', 'manifest', 'tag')
    and status_code between 200 and 299
