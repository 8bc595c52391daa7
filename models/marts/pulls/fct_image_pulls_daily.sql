{{ config(
    materialized='incremental',
    partition_by=partition_by_day('pull_date'),
    cluster_by=['image', 'traffic_class'],
    pre_hook="{{ delete_restated_days('pull_date') }}",
    post_hook="{{ record_build() }}",
) }}
{%- set restated = days_to_restate(parents=['fct_image_pulls']) %}
{{ restatement_comment(restated) }}
with

image_pulls as (

    select * from {{ ref('fct_image_pulls') }}
    where {{ is_restated('pull_date', restated) }}

)

select
    log_source,
    resource_name,
    registry_host,
    project_id,
    image_name,
    image,
    traffic_class,
    client_tool,
    {{ count_if('is_complete') }} as pulls,
    {{ count_if("is_complete and traffic_class = 'end_user'") }}
        as end_user_pulls,
    {{ count_if('not is_complete') }} as incomplete_pulls,
    count(distinct client_id) as clients,
    {{ sum_of('served_bytes') }} as served_bytes,
    pull_date
from image_pulls
group by
    log_source, resource_name, registry_host, project_id, image_name, image, traffic_class,
    client_tool, pull_date
