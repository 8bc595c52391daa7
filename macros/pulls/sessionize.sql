{% macro sessionize(requests, of, gap_seconds) -%}
{%- set gap_micros = gap_seconds * 1000000 -%}
{%- set burst_gap_micros = var('burst_gap_seconds') * 1000000 -%}
{%- set reach_micros = var('max_session_hours') * 3600000000 -%}
{%- set slice_micros = seconds_dividing_a_day([gap_seconds, var('burst_gap_seconds')] | min) * 1000000 -%}
{%- set of_one = 'partition by session_key order by slice_micros rows between unbounded preceding' -%}
    with sliced as (

        select
            *,
            {{ fingerprint(of) }} as session_key,
            started_micros - mod(started_micros, {{ slice_micros }}) as slice_micros
        from {{ requests }}

    ),

    -- a slice of time is too short for a pause and for midnight: windows need no single request
    slices as (

        select
            session_key,
            {%- for column in of %}
            any_value({{ column }}) as {{ column }},
            {%- endfor %}
            slice_micros,
            slice_micros - mod(slice_micros, 86400000000) as midnight_micros,
            min(started_micros) as started_micros,
            max(ended_micros) as ended_micros
        from sliced
        group by session_key, slice_micros

    ),

    paused as (

        select
            *,
            max(midnight_micros) over ({{ of_one }} and 1 preceding) as previous_midnight_micros,
            max(ended_micros) over ({{ of_one }} and 1 preceding) as previous_end_micros
        from slices

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
            end) over ({{ of_one }} and current row) as resumed_micros
        from paused

    ),

    -- a session ends with a pause, or at midnight when it began long before: so that none depends on
    -- more than the day before and the day after its own
    sessions as (

        select
            session_key,
            {%- for column in of %}
            {{ column }},
            {%- endfor %}
            slice_micros,
            max(case
                when is_after_pause then started_micros
                when
                    midnight_micros > previous_midnight_micros
                    and resumed_micros < midnight_micros - {{ reach_micros }}
                    then started_micros
            end) over ({{ of_one }} and current row) as session_started_micros,
            max(case
                when
                    coalesce(started_micros > previous_end_micros + {{ burst_gap_micros }}, true)
                    then started_micros
            end) over ({{ of_one }} and current row) as burst_started_micros
        from resumed

    ),

    -- materialized, because DuckDB otherwise hashes each request after the join
    identified as {{ materialized_cte() }}

        select
            *,
            {{ short_hash_of(of + ['session_started_micros']) }} as session_id
        from sessions

    )

    select
        sliced.*,
        identified.session_id,
        identified.session_started_micros,
        greatest(identified.burst_started_micros, identified.session_started_micros)
            as burst_started_micros
    from sliced
    inner join identified using (session_key, slice_micros)
{%- endmacro %}


{% macro seconds_dividing_a_day(at_most) -%}
    {%- for seconds in range(at_most, 0, -1) if 86400 % seconds == 0 -%}
        {%- if loop.first -%}
            {{ return(seconds) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
