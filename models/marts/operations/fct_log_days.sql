{{ config(materialized='view') }}
{%- set hours_between = dbt.datediff('hour_before', 'log_hour', 'hour') | trim %}
{%- set hours_after = dbt.datediff('log_hour', 'hour_after', 'hour') | trim %}
with

hours as (

    select
        log_source,
        log_hour,
        lag(log_hour) over (partition by log_source order by log_hour) as hour_before,
        lead(log_hour) over (partition by log_source order by log_hour) as hour_after
    from {{ ref('pullstats', 'fct_log_hours') }}
    where
        -- records without a time belong to the first hour of 1970; others have a time in
        -- the future
        log_hour >= {{ timestamp_literal('1970-01-02 00:00:00') }}
        and coalesce(log_hour <= last_loaded_at, true)

),

-- an hour without a record can be quiet, but a registry is not quiet for a day
ends as (

    select
        log_source,
        log_hour,
        coalesce({{ hours_between }} > 24, true) as is_after_gap,
        coalesce({{ hours_after }} > 24, true) as is_before_gap
    from hours

),

days as (

    select
        log_source,
        max(case when is_after_gap then extract(hour from log_hour) else 0 end)
            as first_covered_hour,
        min(case when is_before_gap then extract(hour from log_hour) else 23 end)
            as last_covered_hour,
        cast(log_hour as date) as log_date
    from ends
    group by log_source, log_date

)

select
    log_source,
    first_covered_hour,
    last_covered_hour,
    last_covered_hour - first_covered_hour + 1 as covered_hours,
    log_date
from days
