{{ config(
    materialized='incremental',
    unique_key='pull_month',
    partition_by=by_day('pull_month'),
    cluster_by=['image'],
    meta={'restates': {
        'gcs_usage': [-1, 2],
        'cloud_audit': [-2, 10],
        'blobs': [0, 1],
        'manifests': [0, 1],
    }},
) }}
{%- set restated = restated_days('int_changed_days') %}
with

image_pulls as (

    select
        *,
        {{ month_of('pull_date') }} as pull_month
    from {{ ref('pullstats', 'fct_image_pulls') }}
    where
        image is not null
        and {{ is_in_restated_month('pull_date', restated) }}

)

select
    image,
    any_value(registry_host) as registry_host,
    any_value(project_id) as project_id,
    any_value(image_name) as image_name,
    image_id,
    index_digest,
    manifest_digest,
    {{ count_if('is_complete') }} as pulls,
    {{ count_if("is_complete and traffic_class = 'end_user'") }} as end_user_pulls,
    {{ sum_of('served_bytes') }} as served_bytes,
    min(case when is_complete then started_at end) as first_pulled_at,
    max(case when is_complete then started_at end) as last_pulled_at,
    max(started_at) as last_attempted_at,
    pull_month
from image_pulls
group by image, image_id, index_digest, manifest_digest, pull_month
