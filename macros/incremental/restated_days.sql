{# What a model asks of the list of days: docs/incremental.md. #}

{# Called with the names of the models that list days of changed facts, if the model restates these. #}
{% macro restated_days() %}
    {% for list in ['int_build_days'] + varargs | list if not execute %}
        {% do ref('pullstats', list) %}
    {% endfor %}
    {% if not flags.INTROSPECT or not is_incremental() %}
        {{ return({'days': none}) }}
    {% elif reads_a_part() %}
        {{ return({'days': [], 'loaded_after': '1970-01-01'}) }}
    {% endif %}
    {% set listed, days = [], [] %}
    {% for id in model.depends_on.nodes if id.endswith(('.int_build_days', '_changed_days')) %}
        {% do listed.extend(listed_days(ref('pullstats', id.split('.')[-1]))) %}
    {% endfor %}
    {% for log_source, margins in config.get('meta').restates.items() %}
        {% set own = listed | selectattr(0, 'equalto', log_source) | map(attribute=1) | select %}
        {% do days.extend(days_around(own | list, *margins)) %}
    {% endfor %}
    {{ return({
        'days': days | unique | sort | list,
        'loaded_after': listed | selectattr(
            0, 'equalto', config.get('meta').get('log_source')
        ) | map(attribute=2) | select | first | default('1970-01-01'),
    }) }}
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


{# What an earlier run has read, or raw no longer holds, beside what this run has read. #}
{% macro with_kept_rows(parsed, columns, restated, read) -%}
    select {{ columns | join(', ') }} from {{ parsed }}
    {%- if is_incremental() %}
    union all
    select earlier.{{ columns | join(', earlier.') }}
    from {{ this }} as earlier
    left join (
        select distinct
            event_date as read_date,
            loaded_at as read_at
        from {{ read }}
    ) as arrivals on earlier.event_date = read_date and earlier.loaded_at = read_at
    where
        {{ is_restated('earlier.event_date', restated) }}
        and read_at is null
    {%- endif %}
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


{% macro days_from_vars() %}
    {% if not var('restate_from') %}
        {{ return([]) }}
    {% endif %}
    {% set first = modules.datetime.date.fromisoformat(var('restate_from') | string) %}
    {% set last = modules.datetime.date.fromisoformat(
        (var('restate_to') or var('restate_from')) | string
    ) %}
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
