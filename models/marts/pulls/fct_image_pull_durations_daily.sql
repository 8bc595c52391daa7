{%- set beside = 0 if var('audit_log_has_blobs') else 1 %}
{{ config(
    materialized='incremental',
    unique_key='pull_date',
    partition_by=by_day('pull_date'),
    cluster_by=['image', 'client_tool'],
    meta={'restates': {
        'gcs_usage': [-1, 2],
        'cloud_audit': [-2 - beside, 8],
        'blobs': [0, 1],
    }},
) }}
{%- set restated = restated_days() %}
{%- set key = [
    'log_source', 'resource_name', 'registry_host', 'project_id', 'image_name', 'image',
    'client_tool', 'client_cloud', 'pull_date',
] %}
with

image_pulls as (

    select * from {{ ref('pullstats', 'fct_image_pulls') }}
    where
        is_complete
        and {{ is_restated('pull_date', restated) }}

),

ranked as (

    {{ ranked_within('image_pulls', key, 'duration_millis') }}

)

select
    log_source,
    resource_name,
    registry_host,
    project_id,
    image_name,
    image,
    client_tool,
    client_cloud,
    count(*) as pulls,
    {{ percentile('duration_millis', 50) }} as p50_duration_millis,
    {{ percentile('duration_millis', 90) }} as p90_duration_millis,
    {{ percentile('duration_millis', 99) }} as p99_duration_millis,
    max(duration_millis) as max_duration_millis,
    {{ sum_of('served_bytes') }} as served_bytes,
    pull_date
from ranked
group by {{ key | join(', ') }}
