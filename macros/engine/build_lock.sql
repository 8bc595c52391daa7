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
    {% set oldest = 'timestamp_sub(current_timestamp(), interval '
        ~ var('build_lock_minutes') ~ ' minute)' %}
    {% do run_query(
        'create table if not exists ' ~ build_locks()
        ~ ' (invocation_id string, acquired_at timestamp)'
    ) %}
    {% do run_query('delete from ' ~ build_locks() ~ ' where acquired_at < ' ~ oldest) %}
    {# written before it is read: of two that begin together at least one sees the other #}
    {% do run_query(
        'insert into ' ~ build_locks() ~ " (invocation_id, acquired_at) values ('"
        ~ invocation_id ~ "', current_timestamp())"
    ) %}
    {% set others = run_query(
        'select cast(acquired_at as string) from ' ~ build_locks()
        ~ " where invocation_id != '" ~ invocation_id ~ "' order by acquired_at"
    ).rows %}
    {% if others %}
        {% do run_query(released_build_lock()) %}
        {% do exceptions.raise_compiler_error(
            'another build has been running since ' ~ others[0][0] ~ '. If it was killed, its lock '
            ~ 'expires ' ~ var('build_lock_minutes') ~ ' minutes after that.'
        ) %}
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
    {{ released_build_lock() }}
{%- endmacro %}


{% macro released_build_lock() -%}
    delete from {{ build_locks() }} where invocation_id = '{{ invocation_id }}'
{%- endmacro %}


{# A build that outlives its lock may no longer be the only one: it stops before its next model. #}
{% macro require_build_lock() %}
    {%- if flags.WHICH in ('build', 'run', 'retry') -%}
        {%- do adapter.dispatch('require_build_lock', 'pullstats')() -%}
    {%- endif -%}
{% endmacro %}

{% macro duckdb__require_build_lock() %}
{% endmacro %}

{% macro bigquery__require_build_lock() %}
    {% set age = modules.datetime.datetime.now(modules.pytz.utc) - run_started_at %}
    {% if age.total_seconds() > var('build_lock_minutes') * 60 %}
        {% do exceptions.raise_compiler_error(
            'this build has taken longer than build_lock_minutes. The next one goes on from here; '
            ~ 'for a long first build, set the variable higher.'
        ) %}
    {% endif %}
{% endmacro %}
