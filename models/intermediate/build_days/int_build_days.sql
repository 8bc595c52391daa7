{# It has no unique_key, so either engine's strategy appends. #}
{{ config(
    materialized='incremental',
    incremental_strategy=update_strategy(),
    full_refresh=false,
    post_hook=["{{ refuse_second_run() }}", "{{ publish_days() }}"],
) }}
{%- set marks, restated = last_marks(), days_from_vars() %}
with

arrivals as (

    {%- for log_source, (rows, _) in logs().items() %}
    {{ 'union all' if not loop.first }}
    select
        '{{ log_source }}' as log_source,
        event_date,
        {{ arrival_unit('loaded_at') }} as arrived_at,
        count(*) as row_count
    from {{ ref('pullstats', rows) }}
    where
        loaded_at > {{ timestamp_literal(marks[log_source]) }}
        {%- if log_source == 'cloud_audit' and var('audit_sink_dataset') %}
        {%- set lag = var('audit_sink_max_lag_days') %}
        and event_date >= {{ date_literal(days_around([marks[log_source][:10]], -lag)[0]) }}
        {%- endif %}
    group by event_date, arrived_at
    {%- endfor %}

),

{%- if is_incremental() %}

counted as (

    select
        log_source,
        restated_date,
        arrived_at,
        max(row_count) as row_count
    from {{ this }}
    where finished_at is not null
    group by log_source, restated_date, arrived_at

),

{%- endif %}

listed as (

    select
        arrivals.log_source,
        arrivals.row_count,
        arrivals.event_date as restated_date,
        arrivals.arrived_at,
        cast(null as timestamp) as loaded_after,
        cast(null as timestamp) as loaded_through
    from arrivals
    {%- if is_incremental() %}
    left join counted
        on
            arrivals.log_source = counted.log_source
            and arrivals.event_date = counted.restated_date
            and arrivals.arrived_at = counted.arrived_at
    where arrivals.row_count != coalesce(counted.row_count, 0)
    {%- endif %}
    {%- for log_source, mark in marks.items() %}
    union all
    select
        '{{ log_source }}' as log_source,
        null as row_count,
        null as restated_date,
        null as arrived_at,
        {{ timestamp_literal(([mark] + restated) | min) }} as loaded_after,
        {%- if restated %}
        {{ timestamp_literal(mark) }}
        {%- else %}
        (
            select coalesce(max(arrived_at), {{ timestamp_literal(mark) }}) from arrivals
            where log_source = '{{ log_source }}'
        )
        {%- endif %} as loaded_through
    {%- for day in restated %}
    union all
    select
        '{{ log_source }}' as log_source,
        null as row_count,
        {{ date_literal(day) }} as restated_date,
        null as arrived_at,
        null as loaded_after,
        null as loaded_through
    {%- endfor %}
    {%- endfor %}

)

select
    '{{ run_id() }}' as run_id,
    log_source,
    row_count,
    cast(null as int64) as layout,
    restated_date,
    arrived_at,
    loaded_after,
    loaded_through,
    {{ timestamp_literal(run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f')) }} as started_at,
    cast(null as timestamp) as finished_at,
    cast(null as timestamp) as stopped_at
from listed
{%- if reads_a_part() %}
limit 0
{%- endif %}
