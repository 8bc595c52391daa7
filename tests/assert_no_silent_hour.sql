{{ config(severity='warn') }}
-- Requests of a busy bucket don't stop for an hour: logs are missing, or logging was off. Busy is
-- an hour of the day with 20 requests or more on each of the seven days before; where requests
-- come at random, none at all is less than a chance in 10^8. Looks back seven days from the
-- newest day, but not at its last six hours, whose logs may be on their way.
{%- set newest_date = 'select cast(max(traffic_date) as string) from ' ~ ref('fct_traffic_daily') %}
{%- set newest = run_query(newest_date).rows[0][0] if execute and flags.INTROSPECT %}
with

hours as (

    select
        bucket_name,
        {{ integer_divide('started_micros', 3600000000) }} as hour_number,
        count(*) as request_count
    from {{ ref('int_requests') }}
    where event_date in (
        {% for day in with_neighbours([newest or '1970-01-01'], before=14, after=0) -%}
            {{ date_literal(day) }}{{ ', ' if not loop.last }}
        {%- endfor %}
    )
    group by bucket_name, hour_number

),

days_before as (

    {% for days in range(1, 8) -%}
    select
        bucket_name,
        hour_number + {{ days * 24 }} as hour_number,
        request_count
    from hours
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

busy_hours as (

    select
        bucket_name,
        hour_number,
        min(request_count) as fewest_requests
    from days_before
    group by bucket_name, hour_number
    having
        count(*) = 7
        and min(request_count) >= 20

)

select
    busy_hours.bucket_name,
    {{ micros_to_timestamp('busy_hours.hour_number * 3600000000') }} as silent_from,
    busy_hours.fewest_requests as fewest_in_the_week_before
from busy_hours
left join hours
    on
        busy_hours.bucket_name = hours.bucket_name
        and busy_hours.hour_number = hours.hour_number
where
    hours.hour_number is null
    and busy_hours.hour_number <= (select max(newest.hour_number) - 6 from hours as newest)
