{# Two builds at once would each delete and insert the same days. #}

{% macro running_builds() -%}
    {{ return(build_log().incorporate(path={'identifier': 'running_builds'})) }}
{%- endmacro %}


{% macro begin_build() %}
    {%- if not execute or flags.WHICH not in ('build', 'run') or not builds_may_meet() -%}
        {{ return('') }}
    {%- endif -%}
    {% do run_query(
        'create table if not exists ' ~ running_builds()
        ~ ' (invocation_id string, started_at timestamp)'
    ) %}
    {% if var('killed_build') %}
        {% do run_query(end_of_build(var('killed_build'))) %}
    {% endif %}
    {# written before it is read: of two that begin together at least one sees the other #}
    {% do run_query(
        'insert into ' ~ running_builds() ~ " (invocation_id, started_at) values ('"
        ~ invocation_id ~ "', " ~ timestamp_literal(utc_now()) ~ ')'
    ) %}
    {% set others = run_query(
        'select invocation_id, cast(started_at as string) from ' ~ running_builds()
        ~ " where invocation_id != '" ~ invocation_id ~ "' order by started_at"
    ).rows %}
    {% if others %}
        {% do run_query(end_of_build(invocation_id)) %}
        {% do exceptions.raise_compiler_error(
            'another build runs since ' ~ others[0][1] ~ ' UTC. Wait for it; if it was killed, '
            ~ "say so: --vars '{killed_build: " ~ others[0][0] ~ "}'"
        ) %}
    {% endif %}
{% endmacro %}


{% macro end_build() %}
    {%- if execute and flags.WHICH in ('build', 'run') and builds_may_meet() -%}
        {{ end_of_build(invocation_id) }}
    {%- endif -%}
{% endmacro %}


{% macro end_of_build(id) -%}
    delete from {{ running_builds() }} where invocation_id = '{{ id }}'
{%- endmacro %}
