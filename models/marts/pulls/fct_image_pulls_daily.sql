{%- set restated = restate_by_day(
    'pull_date', follows=[ref('fct_image_pulls')],
    cluster_by=['image', 'traffic_class'],
) %}
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
    {{ count_if("is_complete and count_confidence = 'ambiguous'") }} as ambiguous_pulls,
    count(distinct client_id) as clients,
    {{ sum_of('served_bytes') }} as served_bytes,
    pull_date
from image_pulls
group by
    log_source, resource_name, registry_host, project_id, image_name, image, traffic_class,
    client_tool, pull_date
