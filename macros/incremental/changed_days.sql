{# What is known of blobs and manifests, and when it changed: docs/incremental.md. #}

{% macro with_change_times(relation, key, compare_columns, former_columns={}) -%}
{%- set is_known = execute and not should_full_refresh() and load_cached_relation(this) -%}
    select
        {{ relation }}.*
        {%- for former, column in former_columns.items() %},
        {%- if is_known %}
        case
            when {{ is_same(relation, [column]) }} then previous.{{ former }}
            else previous.{{ column }}
        end as {{ former }}
        {%- else %}
        cast(null as string) as {{ former }}
        {%- endif %}
        {%- endfor %}
        {%- for changed_at, columns in compare_columns.items() %},
        {%- if is_known %}
        case
            when {{ is_same(relation, columns) }} then previous.{{ changed_at }}
            else {{ warehouse_time() }}
        end as {{ changed_at }}
        {%- else %}
        {{ warehouse_time() }} as {{ changed_at }}
        {%- endif %}
        {%- endfor %}
    from {{ relation }}
    {{ 'left join ' ~ this ~ ' as previous using (' ~ key | join(', ') ~ ')' if is_known }}
{%- endmacro %}


{% macro is_same(relation, columns) -%}
    {%- for column in columns -%}
        {{ ' and ' if not loop.first }}previous.{{ column }} is not distinct from {{ relation }}.{{ column }}
    {%- endfor -%}
{%- endmacro %}


{# When the last run finished, and the day before the first that has changed since. Both are constants:
   without them all of time would be read. #}
{% macro last_change(builds, relation, changed_at, first_day) %}
    {% set never = '9999-12-31' %}
    {% if not execute or flags.WHICH not in ('run', 'build') or reads_a_part() or flags.FULL_REFRESH %}
        {{ return((never, never)) }}
    {% endif %}
    {% set since = run_query('select cast(max(finished_at) as string) from ' ~ builds).rows[0][0] or never %}
    {% set day = run_query(
        'select cast(min(' ~ first_day ~ ') as string) from ' ~ relation ~ ' where ' ~ changed_at
        ~ ' > ' ~ timestamp_literal(since)
    ).rows[0][0] or never %}
    {{ return((since, days_around([day], -1)[0])) }}
{% endmacro %}
