with

resources as (

    select
        log_source,
        resource_name,
        {{ sum_of('requests') }} as requests,
        count(distinct request_date) as days_with_requests,
        min(request_date) as first_request_date,
        max(request_date) as last_request_date
    from {{ ref('pullstats', 'fct_registry_requests_daily') }}
    group by log_source, resource_name

)

select
    resources.log_source,
    resources.resource_name,
    resources.requests,
    resources.days_with_requests,
    count(log_days.log_date) as silent_days,
    resources.first_request_date,
    resources.last_request_date
from resources
left join {{ ref('pullstats', 'fct_log_days') }} as log_days
    on
        resources.log_source = log_days.log_source
        and resources.last_request_date < log_days.log_date
group by
    resources.log_source, resources.resource_name, resources.requests,
    resources.days_with_requests, resources.first_request_date, resources.last_request_date
having count(log_days.log_date) >= {{ parameter('silent_days') }}
order by silent_days desc, resources.requests desc
