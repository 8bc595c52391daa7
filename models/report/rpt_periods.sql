with

pull_dates as (

    select distinct
        log_source,
        pull_date
    from {{ ref('pullstats', 'fct_image_pulls') }}

),

-- the newest complete date has the age 0
aged_dates as (

    select
        pull_dates.log_source,
        pull_dates.pull_date,
        newest.newest_complete_date,
        {{ dbt.datediff('pull_dates.pull_date', 'newest.newest_complete_date', 'day') }}
            as age_days
    from pull_dates
    cross join {{ ref('pullstats', 'rpt_newest_complete_date') }} as newest

),

windows as (
    {% for days in [7, 30, 90] %}
    select
        'last_{{ days }}_days' as period,
        0 as youngest_age_days,
        {{ days - 1 }} as oldest_age_days
    union all
    select
        'previous_{{ days }}_days' as period,
        {{ days }} as youngest_age_days,
        {{ 2 * days - 1 }} as oldest_age_days
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

in_periods as (

    select
        aged_dates.log_source,
        aged_dates.pull_date,
        windows.period,
        cast({{ dbt.dateadd(
            'day', '-windows.oldest_age_days', 'aged_dates.newest_complete_date'
        ) }} as date) as period_start,
        windows.period like 'last%' as is_selectable
    from aged_dates
    inner join windows
        on aged_dates.age_days between windows.youngest_age_days and windows.oldest_age_days
    {%- for period, start, is_selectable in [
        ('day', 'pull_date', 'false'),
        ('week', week_of('pull_date'), 'false'),
        (
            'month', month_of('pull_date'),
            'dense_rank() over (order by ' ~ month_of('pull_date') ~ ' desc) <= ' ~ var('report_months'),
        ),
        ('all', 'cast(null as date)', 'true'),
    ] %}
    union all
    select
        log_source,
        pull_date,
        '{{ period }}' as period,
        {{ start }} as period_start,
        {{ is_selectable }} as is_selectable
    from pull_dates
    {%- endfor %}

)

select
    log_source,
    cast(null as string) as shown_source,
    pull_date,
    period,
    period_start,
    is_selectable
from in_periods
union all
select
    log_source,
    log_source as shown_source,
    pull_date,
    period,
    period_start,
    is_selectable
from in_periods
where (select count(distinct pull_dates.log_source) from pull_dates) > 1
