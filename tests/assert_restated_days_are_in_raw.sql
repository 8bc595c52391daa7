{{ config(severity='warn') }}
-- Finds days from `restate_from` to `restate_to` with requests that raw no longer holds. These
-- requests stay as they were. Raw has expired, or the variable `audit_sink_dataset` is missing.
{%- set restated = {'days': days_from_vars()} %}
{%- set first_day = restated.days[0] or '1970-01-01' %}
with

raw_arrivals as (

    {%- for log_source, (rows, _) in logs().items() %}
    {{ 'union all' if not loop.first }}
    select
        '{{ log_source }}' as log_source,
        event_date,
        loaded_at,
        count(*) as row_count
    from {{ ref('pullstats', rows) }}
    where
        {{ is_restated('event_date', restated) }}
        and loaded_at >= {{ timestamp_literal(first_day) }}
    group by event_date, loaded_at
    {%- endfor %}

),

requests as (

    select
        log_source,
        event_date,
        loaded_at,
        sum(received_rows) as row_count
    from {{ ref('pullstats', 'int_log_arrivals_hourly') }}
    where {{ is_restated('event_date', restated) }}
    group by log_source, event_date, loaded_at

)

select
    requests.log_source,
    requests.event_date,
    sum(requests.row_count) as kept_requests
from requests
left join raw_arrivals
    on
        requests.log_source = raw_arrivals.log_source
        and requests.event_date = raw_arrivals.event_date
        and requests.loaded_at = raw_arrivals.loaded_at
where raw_arrivals.row_count is null
group by requests.log_source, requests.event_date
