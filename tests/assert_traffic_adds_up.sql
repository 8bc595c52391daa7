-- The daily traffic counts every request once.
with

requests as (

    select
        event_date as request_date,
        count(*) as request_count
    from {{ ref('pullstats', 'int_registry_requests') }}
    where {{ tested('event_date') }}
    group by event_date

),

daily as (

    select
        request_date,
        sum(requests) as request_count
    from {{ ref('pullstats', 'fct_registry_requests_daily') }}
    where {{ tested('request_date') }}
    group by request_date

)

select
    coalesce(requests.request_date, daily.request_date) as request_date,
    requests.request_count as requests_counted,
    daily.request_count as requests_daily
from requests
full outer join daily on requests.request_date = daily.request_date
where coalesce(requests.request_count, 0) != coalesce(daily.request_count, 0)
