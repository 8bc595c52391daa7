{% macro runs(reads) -%}
{%- set gap_micros = var('pull_gap_minutes') * 60000000 -%}
{%- set reach_micros = var('run_reach_hours') * 3600000000 -%}
{%- set one_client_and_image = 'partition by client_id, bucket_name, registry_host, image_path' -%}
    with paused as (

        select
            *,
            lag(midnight_micros) over (
                {{ one_client_and_image }} order by started_micros, record_key
            ) as previous_midnight_micros,
            started_micros > coalesce(max(ended_micros) over (
                {{ one_client_and_image }} order by started_micros, record_key
                rows between unbounded preceding and 1 preceding
            ), -{{ gap_micros }} - 1) + {{ gap_micros }} as is_after_pause
        from {{ reads }}

    ),

    resumed as (

        select
            *,
            max(case when is_after_pause then started_micros end) over (
                {{ one_client_and_image }} order by started_micros, record_key
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
            {{ one_client_and_image }} order by started_micros, record_key
            rows between unbounded preceding and current row
        ) as run_started_micros
    from resumed
{%- endmacro %}
