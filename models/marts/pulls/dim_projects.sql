with

resources as (

    select
        registry_host,
        project_id,
        log_source,
        resource_name
    from {{ ref('pullstats', 'fct_image_pulls_daily') }}
    where registry_host is not null
    union distinct
    select
        registry_host,
        project_id,
        log_source,
        resource_name
    from {{ ref('pullstats', 'fct_image_pushes') }}
    where registry_host is not null

),

logged as (

    select
        log_source,
        resource_name,
        min(traffic_date) as logged_since,
        max(traffic_date) as logged_through
    from {{ ref('pullstats', 'fct_registry_requests_daily') }}
    group by log_source, resource_name

)

select
    resources.registry_host,
    resources.project_id,
    min(logged.logged_since) as logged_since,
    max(logged.logged_through) as logged_through
from resources
inner join logged
    on
        resources.log_source = logged.log_source
        and resources.resource_name = logged.resource_name
group by resources.registry_host, resources.project_id
