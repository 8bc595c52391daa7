{{ config(severity='warn') }}
-- If a busy bucket has no request in an hour, logs are missing, or logging was off. An hour of the
-- day is busy if it had 20 requests or more on each of the seven days before. With random requests,
-- the chance of an empty hour is then below 1 in 10^8. The test reads the seven days up to the
-- newest hour, without the last six hours, because their logs may still arrive.
with

hours as (

    select
        resource_name,
        {{ integer_divide('started_micros', 3600000000) }} as hour_number,
        count(*) as request_count
    from {{ ref('pullstats', 'int_registry_requests') }}
    where {{ tested('event_date', days_before=8) }}
    group by resource_name, hour_number

),

days_before as (

    {% for days in range(1, 8) -%}
    select
        resource_name,
        hour_number + {{ days * 24 }} as hour_number,
        request_count
    from hours
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

newest as (

    select max(hour_number) as hour_number from hours

),

busy_hours as (

    select
        resource_name,
        hour_number,
        min(request_count) as fewest_requests
    from days_before
    group by resource_name, hour_number
    having
        count(*) = 7
        and min(request_count) >= 20

)

select
    busy_hours.resource_name,
    {{ micros_to_timestamp('busy_hours.hour_number * 3600000000') }} as silent_from,
    busy_hours.fewest_requests as fewest_in_the_week_before
from busy_hours
cross join newest
left join hours
    on
        busy_hours.resource_name = hours.resource_name
        and busy_hours.hour_number = hours.hour_number
where
    hours.hour_number is null
    and busy_hours.hour_number between newest.hour_number - 7 * 24 and newest.hour_number - 6
