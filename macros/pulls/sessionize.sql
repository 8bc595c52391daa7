{% macro sessionize(requests, of, gap_seconds) -%}
{%- set gap_micros = gap_seconds * 1000000 -%}
{%- set reach_micros = var('max_session_hours') * 3600000000 -%}
{%- set of_one = 'partition by ' ~ of | join(', ') -%}
    with paused as (

        select
            *,
            lag(midnight_micros) over (
                {{ of_one }} order by started_micros, request_key
            ) as previous_midnight_micros,
            started_micros > coalesce(max(ended_micros) over (
                {{ of_one }} order by started_micros, request_key
                rows between unbounded preceding and 1 preceding
            ), -{{ gap_micros }} - 1) + {{ gap_micros }} as is_after_pause
        from {{ requests }}

    ),

    resumed as (

        select
            *,
            max(case when is_after_pause then started_micros end) over (
                {{ of_one }} order by started_micros, request_key
                rows between unbounded preceding and current row
            ) as resumed_micros
        from paused

    )

    -- a run ends with a pause, or at midnight when it began long before: so that no run depends on
    -- more than the day before and the day after its own
    select
        *,
        max(case
            when is_after_pause then started_micros
            when
                midnight_micros > previous_midnight_micros
                and resumed_micros < midnight_micros - {{ reach_micros }}
                then started_micros
        end) over (
            {{ of_one }} order by started_micros, request_key
            rows between unbounded preceding and current row
        ) as session_started_micros
    from resumed
{%- endmacro %}
