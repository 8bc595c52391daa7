{{ config(severity='warn') }}
-- A bucket has about as many requests on a day as on the same weekday in the four weeks before: at
-- least half of their minimum, at most twice their maximum. Only buckets with 500 requests or more
-- on such a day count, because small numbers vary by chance. The test reads the seven days before
-- the newest one, which is not complete.
with

volumes as (

    select
        resource_name,
        request_date,
        sum(requests) as request_count
    from {{ ref('pullstats', 'fct_registry_requests_daily') }}
    where {{ tested('request_date', days_before=29) }}
    group by resource_name, request_date

),

span as (

    select
        max(request_date) as newest_date,
        cast({{ dbt.dateadd('day', -7, 'max(request_date)') }} as date) as first_date
    from volumes

),

weeks_before as (

    {% for weeks in range(1, 5) -%}
    select
        resource_name,
        cast({{ dbt.dateadd('day', weeks * 7, 'request_date') }} as date) as request_date,
        request_count
    from volumes
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

usual as (

    select
        resource_name,
        request_date,
        min(request_count) as least_requests,
        max(request_count) as most_requests
    from weeks_before
    group by resource_name, request_date
    having
        count(*) = 4
        and max(request_count) >= 500

)

select
    usual.resource_name,
    usual.request_date,
    coalesce(volumes.request_count, 0) as requests,
    usual.least_requests as least_in_four_weeks,
    usual.most_requests as most_in_four_weeks
from usual
cross join span
left join volumes
    on
        usual.resource_name = volumes.resource_name
        and usual.request_date = volumes.request_date
where
    usual.request_date >= span.first_date
    and usual.request_date < span.newest_date
    and (
        coalesce(volumes.request_count, 0) * 2 < usual.least_requests
        or volumes.request_count > usual.most_requests * 2
    )
