{# A build: how it begins, and how it ends. docs/incremental.md #}

{% macro run_id() -%}
    {{ return(var('build_id') or invocation_id) }}
{%- endmacro %}


{# With `--empty` or `--sample`, a run reads a part of the rows, so it replaces none. #}
{% macro reads_a_part() -%}
    {{ return(flags.EMPTY or invocation_args_dict.get('sample')) }}
{%- endmacro %}


{# The arrivals up to which finished runs have read everything. #}
{% macro last_marks() %}
    {% set marks = dict.fromkeys(logs(), '1970-01-01') %}
    {% if flags.INTROSPECT and is_incremental() %}
        {% set through = settled_through('loaded_through', 'started_at') %}
        {% set found = run_query(
            'select log_source, cast(max(case when finished_at is not null then ' ~ through
            ~ ' end) as string), max(layout) from ' ~ this ~ ' group by log_source'
        ).rows %}
        {% do check_layout(found | map(attribute=2) | select | max) %}
        {% for log_source, mark, _ in found if mark and log_source in marks %}
            {% do marks.update({log_source: mark}) %}
        {% endfor %}
    {% endif %}
    {{ return(marks) }}
{% endmacro %}


{# Of two that begin together at least one sees the other. #}
{% macro refuse_second_run() %}
    {% if not execute or not may_run_at_once() or var('allow_parallel_builds') %}
        {{ return('') }}
    {% endif %}
    {% set since = run_started_at - modules.datetime.timedelta(minutes=var('build_lock_minutes')) %}
    {% set others = run_query(
        'select cast(max(started_at) as string) from ' ~ this ~ " where run_id != '" ~ run_id()
        ~ "' and finished_at is null and stopped_at is null and started_at > "
        ~ timestamp_literal(since.strftime('%Y-%m-%d %H:%M:%S'))
    ).rows[0][0] %}
    {% if others %}
        {% do run_query('delete from ' ~ this ~ " where run_id = '" ~ run_id() ~ "'") %}
        {% do exceptions.raise_compiler_error(
            'another run has been building since ' ~ others ~ '. If it was killed, wait until '
            ~ var('build_lock_minutes') ~ ' minutes after that (build_lock_minutes). To allow parallel '
            ~ "runs: --vars '{allow_parallel_builds: true}'"
        ) %}
    {% endif %}
{% endmacro %}


{# A run is finished when it has built all tables; what tests find does not matter. #}
{% macro end_run() %}
    {% if not execute or flags.WHICH not in ('run', 'build') or reads_a_part() or var('build_id') %}
        {{ return('') }}
    {% endif %}
    {% set done = results | selectattr('status', 'equalto', 'success')
        | map(attribute='node.unique_id') | list %}
    {% set tables = graph.nodes.values() | selectattr('package_name', 'equalto', 'pullstats')
        | selectattr('config.materialized', 'in', ['incremental', 'table'])
        | map(attribute='unique_id') %}
    {% if 'model.pullstats.int_build_days' in done %}
        {% do finish_build(is_complete=not tables | reject('in', done) | list) %}
    {% endif %}
{% endmacro %}


{# If a later run has begun, what either has restated may lack rows of the other: neither counts. #}
{% macro finish_build(is_complete=true) %}
    {% set days = relation_of('model.pullstats.int_build_days') %}
    {% set own = "run_id = '" ~ run_id() ~ "'" %}
    {% set later = 'started_at > (select min(started_at) from ' ~ days ~ ' where ' ~ own ~ ')' %}
    {% set overlaps = 'exists (select 1 from ' ~ days ~ ' where not ' ~ own ~ ' and ' ~ later ~ ')' %}
    {% set finished = own ~ ' and stopped_at is null and not ' ~ overlaps if is_complete else 'false' %}
    {% do run_query(
        'update ' ~ days ~ ' set finished_at = case when ' ~ finished ~ ' then ' ~ warehouse_time()
        ~ ' end, stopped_at = case when not (' ~ finished ~ ') then ' ~ warehouse_time()
        ~ ' end, layout = case when ' ~ finished ~ ' then ' ~ layouts() | length ~ ' end where ' ~ own
        ~ (' or ' ~ later if is_complete)
    ) %}
    {% if is_complete %}
        {% set expired = run_started_at - modules.datetime.timedelta(days=90) %}
        {% do run_query(
            'delete from ' ~ days ~ ' where started_at < '
            ~ timestamp_literal(expired.strftime('%Y-%m-%d %H:%M:%S'))
        ) %}
    {% endif %}
    {% do adapter.commit() %}
{% endmacro %}
