{# Only BigQuery lets two builds write at once; docs/incremental.md says what they could do. #}

{% macro build_locks() -%}
    {{ return(build_log().incorporate(path={'identifier': 'build_locks'})) }}
{%- endmacro %}


{% macro acquire_build_lock() %}
    {%- if execute and is_selected() and flags.WHICH in ('build', 'run', 'retry') -%}
        {%- do adapter.dispatch('acquire_build_lock', 'pullstats')() -%}
    {%- endif -%}
{% endmacro %}

{% macro duckdb__acquire_build_lock() %}
{% endmacro %}

{% macro bigquery__acquire_build_lock() %}
    {% do run_query(
        'create table if not exists ' ~ build_locks()
        ~ ' (invocation_id string, acquired_at timestamp, expires_at timestamp)'
    ) %}
    {% do run_query(
        'delete from ' ~ build_locks() ~ ' where expires_at < current_timestamp()'
    ) %}
    {# written before it is read: of two that begin together at least one sees the other #}
    {% do run_query(
        'insert into ' ~ build_locks() ~ ' (invocation_id, acquired_at, expires_at) values ('
        ~ "'" ~ invocation_id ~ "', current_timestamp(), timestamp_add(current_timestamp(), "
        ~ 'interval ' ~ var('build_lock_minutes') ~ ' minute))'
    ) %}
    {% set others = run_query(
        'select cast(min(acquired_at) as string), cast(max(expires_at) as string) from '
        ~ build_locks() ~ " where invocation_id != '" ~ invocation_id ~ "'"
    ).rows[0] %}
    {% if others[0] %}
        {% do run_query(bigquery__release_build_lock()) %}
        {% do exceptions.raise_compiler_error(
            'another build has been running since ' ~ others[0]
            ~ '. If it was killed, its lock expires at ' ~ others[1] ~ '.'
        ) %}
    {% endif %}
{% endmacro %}


{# Called by each incremental model, for builds that take long. #}
{% macro renew_build_lock() %}
    {% set age = modules.datetime.datetime.now(modules.pytz.utc) - run_started_at %}
    {% if age.total_seconds() > var('build_lock_minutes') * 30 %}
        {% do acquire_build_lock() %}
    {% endif %}
{% endmacro %}


{% macro release_build_lock() %}
    {%- if execute and is_selected() and flags.WHICH in ('build', 'run', 'retry') -%}
        {{- adapter.dispatch('release_build_lock', 'pullstats')() -}}
    {%- endif -%}
{% endmacro %}

{% macro duckdb__release_build_lock() %}
{% endmacro %}

{% macro bigquery__release_build_lock() -%}
    delete from {{ build_locks() }} where invocation_id = '{{ invocation_id }}'
{%- endmacro %}
