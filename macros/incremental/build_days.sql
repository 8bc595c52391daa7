{# Which days a run restates is found once, at its start: docs/incremental.md. #}

{% macro build_days() -%}
    {%- set beside = graph.get('nodes', {}).get('model.pullstats.int_blobs', target) -%}
    {{ return(api.Relation.create(
        database=beside.database, schema=beside.schema, identifier='build_days'
    )) }}
{%- endmacro %}


{% macro run_id() -%}
    {{ return(var('build_id') or invocation_id) }}
{%- endmacro %}


{% macro restating_models() -%}
    {{ return(graph.nodes.values() | selectattr('package_name', 'equalto', 'pullstats')
        | selectattr('config.meta.restates', 'defined') | map(attribute='unique_id') | list) }}
{%- endmacro %}


{# dbt runs these hooks with each command, and does not show what `dbt retry` selects. #}
{% macro is_restating() -%}
    {%- if not execute or flags.WHICH not in ('run', 'build') -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set selected = selected_resources or restating_models() -%}
    {{ return(restating_models() | select('in', selected) | list | length > 0) }}
{%- endmacro %}


{# `--empty` and `--sample` read less than there is: they replace nothing. #}
{% macro reads_a_part() -%}
    {{ return(flags.EMPTY or invocation_args_dict.get('sample')) }}
{%- endmacro %}


{% macro find_days() %}
    {% if not is_restating() or reads_a_part() %}
        {{ return('') }}
    {% endif %}
    {% if not relation_exists(build_days()) %}
        {% do run_query('create schema if not exists ' ~ build_days().without_identifier()) %}
        {% do run_query(
            'create table if not exists ' ~ build_days() ~ ' (run_id string, log_source string,'
            ~ ' restated_date date, arrived_at timestamp, row_count int64, loaded_after timestamp,'
            ~ ' loaded_through timestamp, started_at timestamp, finished_at timestamp, layout int64)'
        ) %}
    {% endif %}
    {% set runs %}
        select
            log_source,
            {{ count_if("run_id = '" ~ run_id() ~ "'") }},
            cast(max(case
                when finished_at is not null
                    then {{ settled_through('loaded_through', 'started_at') }}
            end) as string),
            max(layout)
        from {{ build_days() }}
        group by log_source
    {% endset %}
    {% set found = run_query(runs).rows %}
    {% do check_layout(found | map(attribute=3) | select | max) %}
    {% if found | selectattr(1) | list %}
        {{ return('') }}  {# another process of this build has asked #}
    {% endif %}
    {% set marks = {} %}
    {% for source, _, mark, _ in found if mark %}
        {% do marks.update({source: mark}) %}
    {% endfor %}
    {% for node in graph.nodes.values() if node.config.meta.log_source is defined %}
        {% do run_query(arrived_days(node, marks)) %}
    {% endfor %}
    {% do refuse_second_run() %}
    {% do publish_days() %}
    {% do adapter.commit() %}
{% endmacro %}


{# The days of a source's rows that no finished run has counted, and those of restate_from. #}
{% macro arrived_days(node, marks) %}
    {% set source = node.config.meta.log_source %}
    {% set requests = api.Relation.create(
        database=node.database, schema=node.schema, identifier=node.alias
    ) %}
    {% set mark, days = marks.get(source), days_from_vars() %}
    {% if not mark and relation_exists(requests) %}
        {% set mark = adopted_mark(source, requests) %}
    {% elif not mark and marks %}
        {% set mark = '1970-01-01 00:00:00' %}  {# a source that comes later #}
    {% endif %}
    insert into {{ build_days() }} (
        run_id, log_source, restated_date, arrived_at, row_count,
        loaded_after, loaded_through, started_at
    )
    with raw_rows as (
        select event_date, loaded_at, {{ arrival_unit('loaded_at') }} as arrived_at
        from (
            {# staging's rule; its view may not be there yet, or be of an earlier version -#}
            {{ render(graph.nodes['model.pullstats.' ~ node.config.meta.raw].raw_code) }}
        ) as raw_rows
        {%- if mark %}
        where
            loaded_at > {{ timestamp_literal(mark) }}
            {%- if source == 'cloud_audit' and var('audit_sink_dataset') %}
            {%- set lag = var('audit_sink_max_lag_days') %}
            and event_date >= {{ date_literal(days_around([mark[:10]], -lag)[0]) }}
            {%- endif %}
        {%- endif %}
    ),
    arrivals as (
        {%- if mark %}
        select event_date, arrived_at, count(*) as row_count
        from raw_rows
        group by event_date, arrived_at
        {%- else %}
        select cast(null as date) as event_date, max(arrived_at) as arrived_at, 0 as row_count
        from raw_rows
        {%- endif %}
    ),
    counted as (
        select restated_date, arrived_at, max(row_count) as row_count
        from {{ build_days() }}
        where
            finished_at is not null
            and log_source = '{{ source }}'
            and arrived_at > {{ timestamp_literal(mark or '1970-01-01 00:00:00') }}
        group by restated_date, arrived_at
    ),
    days as (
        select arrivals.event_date, arrivals.arrived_at, arrivals.row_count
        from arrivals
        left join counted
            on
                arrivals.event_date = counted.restated_date
                and arrivals.arrived_at = counted.arrived_at
        where arrivals.row_count != coalesce(counted.row_count, 0)
        {%- for day in [none] + days %}
        union all
        select {{ 'cast(null as date)' if day is none else date_literal(day) }}, null, null
        {%- endfor %}
    )
    select
        '{{ run_id() }}',
        '{{ source }}',
        event_date,
        arrived_at,
        row_count,
        {{ 'cast(null as timestamp)' if not mark
            else timestamp_literal(([mark] + days) | min) }},
        {%- if days and mark %}
        {{ timestamp_literal(mark) }},
        {%- else %}
        (
            select coalesce(max(arrived_at), {{ timestamp_literal(mark or '1970-01-01 00:00:00') }})
            from arrivals
        ),
        {%- endif %}
        {{ run_started() }}
    from days
{% endmacro %}


{# A schema that has requests but no finished run: cloned, or its first run stopped on the way. #}
{% macro adopted_mark(source, requests) %}
    {% do exceptions.warn(
        build_days() ~ ' has no finished run of ' ~ source ~ ': restating the days of what has arrived '
        ~ 'since ' ~ var('default_days') ~ ' days before the newest of ' ~ requests
    ) %}
    {% set through = dbt.dateadd('day', -var('default_days'), 'max(loaded_at)') %}
    {% do run_query(
        'insert into ' ~ build_days()
        ~ " (run_id, log_source, loaded_after, loaded_through, started_at, finished_at) select"
        ~ " 'adopted', '" ~ source ~ "', timestamp '1970-01-01', coalesce(cast(" ~ through
        ~ " as timestamp), timestamp '1970-01-01'), "
        ~ run_started() ~ ', ' ~ warehouse_time() ~ ' from ' ~ requests
    ) %}
    {{ return(run_query(
        'select cast(max(' ~ settled_through('loaded_through', 'started_at') ~ ') as string) from '
        ~ build_days() ~ " where run_id = 'adopted' and log_source = '" ~ source ~ "'"
    ).rows[0][0]) }}
{% endmacro %}


{% macro run_started() -%}
    {{ timestamp_literal(run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f')) }}
{%- endmacro %}


{# Of two that begin together at least one sees the other. #}
{% macro refuse_second_run() %}
    {% if not may_run_at_once() or var('allow_parallel_builds') %}
        {{ return('') }}
    {% endif %}
    {% set since = run_started_at - modules.datetime.timedelta(minutes=var('build_lock_minutes')) %}
    {% set others = run_query(
        'select cast(max(started_at) as string) from ' ~ build_days()
        ~ " where finished_at is null and run_id != '" ~ run_id() ~ "' and started_at > "
        ~ timestamp_literal(since.strftime('%Y-%m-%d %H:%M:%S'))
    ).rows[0][0] %}
    {% if others %}
        {% do run_query('delete from ' ~ build_days() ~ " where run_id = '" ~ run_id() ~ "'") %}
        {% do exceptions.raise_compiler_error(
            'another run has been building since ' ~ others ~ '. If it was killed, wait until '
            ~ var('build_lock_minutes') ~ ' minutes after that (build_lock_minutes). To allow runs at '
            ~ "once: --vars '{allow_parallel_builds: true}'"
        ) %}
    {% endif %}
{% endmacro %}


{# A run of a part, and one that failed, leave no trace: the next run finds their days again. #}
{% macro end_run() %}
    {% if not is_restating() or reads_a_part() or var('build_id') %}
        {{ return('') }}
    {% endif %}
    {% set done = results | selectattr('status', 'equalto', 'success')
        | map(attribute='node.unique_id') | list %}
    {% set failed = results | selectattr('node.package_name', 'equalto', 'pullstats')
        | selectattr('status', 'in', ['error', 'fail', 'runtime error', 'skipped']) | list %}
    {% if failed or restating_models() | reject('in', done) | list %}
        {{ return('delete from ' ~ build_days() ~ " where run_id = '" ~ run_id() ~ "'") }}
    {% endif %}
    {% do finish_build() %}
{% endmacro %}


{# If a later run has begun, what either has restated may lack rows of the other: neither counts. #}
{% macro finish_build() %}
    {% set expired = run_started_at - modules.datetime.timedelta(days=90) %}
    {% set own = "run_id = '" ~ run_id() ~ "'" %}
    {% set begun = '(select min(started_at) from ' ~ build_days() ~ ' where ' ~ own ~ ')' %}
    {% do run_query(
        'delete from ' ~ build_days() ~ ' where started_at < '
        ~ timestamp_literal(expired.strftime('%Y-%m-%d %H:%M:%S')) ~ ' or started_at >= ' ~ begun
        ~ ' and (select max(started_at) from ' ~ build_days() ~ ' where not ' ~ own ~ ') > ' ~ begun
    ) %}
    {% do run_query(
        'update ' ~ build_days() ~ ' set finished_at = ' ~ warehouse_time()
        ~ ', layout = ' ~ layouts() | length
        ~ ' where ' ~ own
    ) %}
    {% do adapter.commit() %}
{% endmacro %}
