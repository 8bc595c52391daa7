{{ config(materialized='view') }}
with

-- fixed ends, so that wrong dates in a log don't extend it; Container Registry began in 2015
days as (

    {{ days_from_to(date_literal('2015-01-01'), date_literal('2044-12-31')) }}

),

covered as (

    select
        log_date,
        max(covered_hours) as covered_hours
    from {{ ref('pullstats', 'fct_log_days') }}
    group by log_date

)

select
    {{ weekday_of('days.calendar_date') }} + 1 as weekday,
    coalesce(covered.covered_hours, 0) as covered_hours,
    coalesce(covered.covered_hours = 24, false) as is_covered,
    days.calendar_date,
    {{ week_of('days.calendar_date') }} as calendar_week,
    {{ month_of('days.calendar_date') }} as calendar_month
from days
left join covered on days.calendar_date = covered.log_date
