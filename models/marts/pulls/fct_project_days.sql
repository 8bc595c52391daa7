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
        min(request_date) as logged_since,
        max(request_date) as logged_through
    from {{ ref('pullstats', 'fct_registry_requests_daily') }}
    group by log_source, resource_name

),

projects as (

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

),

covered as (

    select distinct
        resources.registry_host,
        resources.project_id,
        log_days.log_date
    from resources
    inner join {{ ref('pullstats', 'fct_log_days') }} as log_days
        on resources.log_source = log_days.log_source

),

days as (

    select
        projects.registry_host,
        projects.project_id,
        covered.log_date is not null as is_covered,
        dates.calendar_date as log_date
    from projects
    inner join {{ ref('pullstats', 'dim_dates') }} as dates
        on dates.calendar_date between projects.logged_since and projects.logged_through
    left join covered
        on
            projects.registry_host = covered.registry_host
            and coalesce(projects.project_id, '') = coalesce(covered.project_id, '')
            and dates.calendar_date = covered.log_date

),

-- row numbers cost less than a count whose frame grows
numbered as (

    select
        days.*,
        row_number() over (
            partition by days.registry_host, days.project_id
            order by days.log_date desc
        ) - 1 as later_days,
        row_number() over (
            partition by days.registry_host, days.project_id, days.is_covered
            order by days.log_date desc
        ) - 1 as later_days_of_its_kind
    from days

)

select
    registry_host,
    project_id,
    case
        when is_covered then later_days_of_its_kind
        else later_days - later_days_of_its_kind
    end as later_covered_days,
    is_covered,
    log_date
from numbered
