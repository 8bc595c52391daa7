-- The daily traffic counts every request once.
with

requests as (

    select
        event_date as traffic_date,
        count(*) as request_count
    from {{ ref('pullstats', 'int_registry_requests') }}
    where {{ tested('event_date') }}
    group by event_date

),

daily as (

    select
        traffic_date,
        sum(requests) as request_count
    from {{ ref('pullstats', 'fct_registry_requests_daily') }}
    where {{ tested('traffic_date') }}
    group by traffic_date

)

select
    coalesce(requests.traffic_date, daily.traffic_date) as traffic_date,
    requests.request_count as requests_counted,
    daily.request_count as requests_daily
from requests
full outer join daily on requests.traffic_date = daily.traffic_date
where coalesce(requests.request_count, 0) != coalesce(daily.request_count, 0)
