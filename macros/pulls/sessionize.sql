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
            max(ended_micros) over (
                {{ of_one }} order by started_micros, request_key
                rows between unbounded preceding and 1 preceding
            ) as previous_end_micros
        from {{ requests }}

    ),

    resumed as (

        select
            *,
            coalesce(started_micros > previous_end_micros + {{ gap_micros }}, true)
                as is_after_pause,
            max(case
                when
                    coalesce(started_micros > previous_end_micros + {{ gap_micros }}, true)
                    then started_micros
            end) over (
                {{ of_one }} order by started_micros, request_key
                rows between unbounded preceding and current row
            ) as resumed_micros
        from paused

    )

    -- a session ends with a pause, or at midnight when it began long before: so that none depends on
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
        ) as session_started_micros,
        max(case
            when coalesce(
                started_micros > previous_end_micros + {{ var('burst_gap_seconds') }} * 1000000, true
            ) then started_micros
        end) over (
            {{ of_one }} order by started_micros, request_key
            rows between unbounded preceding and current row
        ) as burst_started_micros
    from resumed
{%- endmacro %}
