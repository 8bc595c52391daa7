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


{# When the last run finished. This and the next are constants: without them all of time would be read. #}
{% macro last_finish(builds) %}
    {% set is_asked = execute and flags.WHICH in ('run', 'build') and not reads_a_part()
        and not flags.FULL_REFRESH %}
    {{ return((run_query(
        'select cast(max(finished_at) as string) from ' ~ builds
    ).rows[0][0] if is_asked) or '9999-12-31') }}
{% endmacro %}


{# The day before the first that has changed since: a session may have begun on it. #}
{% macro day_before_change(relation, since, changed_at, first_day) %}
    {% set first = run_query(
        'select cast(min(' ~ first_day ~ ') as string) from ' ~ relation ~ ' where ' ~ changed_at
        ~ ' > ' ~ timestamp_literal(since)
    ).rows[0][0] if not since.startswith('9999') %}
    {{ return(date_literal(days_around([first or '9999-12-31'], -1)[0])) }}
{% endmacro %}
