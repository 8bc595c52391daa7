{# What a model asks of the list of days: docs/incremental.md. #}

{% macro restated_days() %}
    {% if not execute or not flags.INTROSPECT or not is_incremental() %}
        {{ return({'days': none}) }}
    {% elif reads_a_part() %}
        {{ return({'days': [], 'loaded_after': '1970-01-01'}) }}
    {% endif %}
    {% set listed = listed_days() | selectattr(2) | list %}
    {% set fallback, days = none if listed else default_days(), [] %}
    {% for source, margins in config.get('meta').restates.items() %}
        {% set own = listed | selectattr(0, 'equalto', source) | selectattr(1) | map(attribute=1) %}
        {% do days.extend(days_around(fallback or own | list, *margins)) %}
    {% endfor %}
    {{ return({
        'days': days | unique | sort | list,
        'loaded_after': listed | selectattr(
            0, 'equalto', config.get('meta').get('log_source')
        ) | map(attribute=2) | first | default('1970-01-01', true),
    }) }}
{% endmacro %}


{% macro default_days() %}
    {% if flags.WHICH in ('run', 'build') %}
        {% do exceptions.warn(
            this ~ ' has no list of days, since the requests are not in this schema: restating the '
            ~ 'newest ' ~ var('default_days') ~ ' days (default_days)'
        ) %}
    {% endif %}
    {{ return(days_around([run_started_at.date().isoformat()], 1 - var('default_days'))) }}
{% endmacro %}


{% macro is_restated(column, restated, before=0, after=0) -%}
    {%- if restated.days is none -%}
        true
    {%- elif not restated.days -%}
        false
    {%- else -%}
        {{ column }} in (
            {%- for day in days_around(restated.days, -before, after) -%}
                {{ date_literal(day) }}{{ ', ' if not loop.last }}
            {%- endfor -%}
        )
    {%- endif -%}
{%- endmacro %}


{% macro is_in_restated_month(column, restated) -%}
    {%- set days = [] -%}
    {%- for month in first_days_of_months(restated.days or []) -%}
        {%- for day in days_around([month], 0, 30) if day[:7] == month[:7] -%}
            {%- do days.append(day) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ is_restated(column, {'days': none if restated.days is none else days}) }}
{%- endmacro %}


{# The rows of the model itself that this run replaces. A month is named by its first day. #}
{% macro is_replaced(column) -%}
    {%- set days = restated_days().days -%}
    {%- if days and column.endswith('_month') -%}
        {%- set days = first_days_of_months(days) -%}
    {%- endif -%}
    {{ is_restated(column, {'days': days}) }}
{%- endmacro %}


{% macro first_days_of_months(days) %}
    {% set months = [] %}
    {% for day in days %}
        {% do months.append(day[:7] ~ '-01') %}
    {% endfor %}
    {{ return(months | unique | sort | list) }}
{% endmacro %}


{% macro is_settled(loaded_at, source) -%}
    {%- set settled = settled_through('loaded_through', 'started_at') -%}
    {%- if not relation_exists(build_days()) -%}
        true
    {%- else -%}
        {{ loaded_at }} <= (
            select coalesce(
                max(case when run_id = '{{ run_id() }}' then {{ settled }} end),
                max(case when finished_at is not null then {{ settled }} end)
            )
            from {{ build_days() }}
            where log_source = '{{ source }}'
        )
    {%- endif -%}
{%- endmacro %}


{% macro days_from_vars() %}
    {% if not var('restate_from') %}
        {{ return([]) }}
    {% endif %}
    {% set first = modules.datetime.date.fromisoformat(var('restate_from') | string) %}
    {% set last = modules.datetime.date.fromisoformat(
        (var('restate_to') or var('restate_from')) | string
    ) %}
    {% if last < first %}
        {{ exceptions.raise_compiler_error('restate_to is before restate_from') }}
    {% endif %}
    {{ return(days_around([first.isoformat()], 0, (last - first).days)) }}
{% endmacro %}


{% macro days_around(days, first=0, last=0) %}
    {% set wider = [] %}
    {% for day in days %}
        {% for offset in range(first, last + 1) %}
            {% do wider.append((
                modules.datetime.date.fromisoformat(day)
                + modules.datetime.timedelta(days=offset)
            ).isoformat()) %}
        {% endfor %}
    {% endfor %}
    {{ return(wider | unique | sort | list) }}
{% endmacro %}
