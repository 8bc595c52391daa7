{#- Monday comes first: the engines' own weeks differ. -#}
{% macro weekday_of(date) -%}
    mod({{ dbt.datediff(date_literal('1969-12-29'), date, 'day') }}, 7)
{%- endmacro %}


{% macro week_of(date) -%}
    cast({{ dbt.dateadd('day', '-' ~ weekday_of(date), date) }} as date)
{%- endmacro %}


{% macro newest_complete_date() -%}
    {#- A source that is two days behind the newest has ended: nobody waits for it. -#}
    select
        cast({{ dbt.dateadd('day', -1, 'cast(' ~ dbt.dateadd('hour', 1, 'min(newest_hour)') ~ ' as date)') }} as date)
            as newest_complete_date
    from (
        select
            max(log_hour) as newest_hour,
            max(max(log_hour)) over () as newest_hour_of_all
        from {{ ref('fct_log_hours') }}
        group by log_source
    ) as newest_hours
    where
        newest_hour
        >= cast({{ dbt.dateadd('hour', -48, 'newest_hour_of_all') }} as timestamp)
{%- endmacro %}


{% macro report_periods(is_by_step=false) -%}
    {%- set date = 'dates.pull_date' -%}
    {%- set starts = {
        'month': month_of(date),
        'all': 'cast(null as date)',
    } -%}
    {%- if is_by_step -%}
        {%- do starts.update({
            'day': date,
            'week': week_of(date),
        }) -%}
    {%- endif -%}
    select
        dates.pull_date,
        windows.period,
        cast({{ dbt.dateadd('day', '1 - windows.days_back', 'newest.newest_complete_date') }} as date)
            as period_start
    from (select distinct pull_date from {{ ref('fct_image_pulls') }}) as dates
    cross join ({{ newest_complete_date() }}) as newest
    cross join (
        {%- for days in [7, 30, 90] %}
        select
            'last_{{ days }}_days' as period,
            {{ days }} as days_back,
            {{ days }} as days
        union all
        select
            'previous_{{ days }}_days' as period,
            {{ 2 * days }} as days_back,
            {{ days }} as days
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as windows
    where
        {{ dbt.datediff(date, 'newest.newest_complete_date', 'day') }} < windows.days_back
        and {{ dbt.datediff(date, 'newest.newest_complete_date', 'day') }}
        >= windows.days_back - windows.days
    {%- for period, start in starts.items() %}
    union all
    select
        dates.pull_date,
        '{{ period }}' as period,
        {{ start }} as period_start
    from (select distinct pull_date from {{ ref('fct_image_pulls') }}) as dates
    {%- if period == 'month' and not is_by_step %}
    cross join ({{ newest_complete_date() }}) as newest
    where
        {{ dbt.datediff(date, 'newest.newest_complete_date', 'month') }}
        < {{ var('report_months') }}
    {%- endif %}
    {%- endfor %}
{%- endmacro %}


{% macro report_sources() -%}
    select
        log_source,
        cast(null as string) as shown_source
    from (select distinct log_source from {{ ref('fct_image_pulls') }}) as sources
    union all
    select
        log_source,
        log_source as shown_source
    from (select distinct log_source from {{ ref('fct_image_pulls') }}) as sources
    where (select count(distinct log_source) from {{ ref('fct_image_pulls') }}) > 1
{%- endmacro %}


{% macro report_rows_in_periods(rows, is_by_step=false) -%}
    select
        {{ rows }}.*,
        sources.shown_source,
        periods.period,
        periods.period_start
    from {{ rows }}
    inner join ({{ report_sources() }}) as sources on {{ rows }}.log_source = sources.log_source
    inner join ({{ report_periods(is_by_step) }}) as periods
        on {{ rows }}.pull_date = periods.pull_date
{%- endmacro %}
