{# Which days a build restates. #}

{% macro days_to_restate(follows, before=0, after=0) %}
    {% if is_first_build() %}
        {{ return({'is_full': true, 'days': [], 'read_at': first_read_at()}) }}
    {% endif %}
    {% set names = [] %}
    {% for relation in follows %}
        {% do names.extend(followed_models(relation)) %}
    {% endfor %}
    {# one statement: BigQuery bills 10 MiB at least for each that reads the log #}
    {% set logged %}
        with last_build as (
            select max(read_at) as read_at from {{ build_log() }}
            where model_name = '{{ this.identifier }}'
        )
        select
            log.model_name,
            case when log.recorded_at > last_build.read_at then cast(log.restated_date as string) end
                as restated_day,
            log.is_full and log.recorded_at > last_build.read_at as is_full,
            cast(max(last_build.read_at) as string) as read_at,
            cast(max({{ warehouse_time() }}) as string) as warehouse_time
        from {{ build_log() }} as log
        cross join last_build
        where log.model_name in ('{{ names | join("', '") }}')
        group by 1, 2, 3
    {% endset %}
    {% set found = run_query(logged).rows %}
    {% for name in names if name not in found | map(attribute=0) %}
        {{ exceptions.raise_compiler_error(
            this.identifier ~ ' follows ' ~ name ~ ', which has recorded no build. '
            ~ 'Build it first: dbt build --select ' ~ name ~ '+'
        ) }}
    {% endfor %}
    {% set is_full = found[0][3] is none or found | selectattr(2) | list | length > 0 %}
    {% set days = [] if is_full else found | map(attribute=1) | select | list + days_from_vars() %}
    {{ return({
        'is_full': is_full,
        'days': with_adjacent_days(days, before, after),
        'read_at': found[0][4],
    }) }}
{% endmacro %}


{% macro arrivals_to_restate(day, raw, arrival, max_lag_days) %}
    {% set last = last_build() %}
    {% set is_full = last.is_none %}
    {% if not is_full and last.loaded_through is none %}
        {# a source that had nothing yet: one that nobody uses must not rebuild what follows it #}
        {% set is_full = run_query('select 1 from ' ~ raw ~ ' limit 1').rows | length > 0 %}
    {% endif %}
    {% set restated = {
        'day': day, 'arrival': arrival, 'read_at': last.now, 'is_full': is_full, 'days': []
    } %}
    {% if is_full %}
        {{ return(restated) }}
    {% elif last.loaded_through is none %}
        {% do restated.update({'watermark': '1970-01-01 00:00:00'}) %}
        {{ return(restated) }}
    {% endif %}
    {% set days = days_from_vars() %}
    {% if days %}
        {% do restated.update({'days': days, 'watermark': days[0] ~ ' 00:00:00'}) %}
        {% do keep_days_that_raw_lost(raw, restated) %}
        {{ return(restated) }}
    {% endif %}
    {% set has_arrived = arrival ~ ' > ' ~ timestamp_literal(last.settled_through) %}
    {% set arrived %}
        select cast({{ day }} as string), count(*), cast(max({{ arrival }}) as string)
        from {{ raw }}
        where
            {{ has_arrived }}
            {%- if max_lag_days is not none %}
            {%- set settled_day = last.settled_through[:10] %}
            and {{ day }} >= {{ date_literal(with_adjacent_days([settled_day], max_lag_days)[0]) }}
            {%- endif %}
        group by {{ day }}
    {% endset %}
    {% set found = run_query(arrived).rows %}
    {% do restated.update({
        'days': found | map(attribute=0) | sort,
        'watermark': last.settled_through,
        'loaded_through': found | map(attribute=2) | max if found else none,
    }) %}
    {% if found and last.settled_through != last.loaded_through %}
        {# what may have grown since it was read: a day with as many rows as before has not #}
        {% set known %}
            select cast({{ day }} as string), count(*)
            from {{ this }}
            where
                {{ is_restated(day, restated) }}
                and {{ has_arrived }}
            group by {{ day }}
        {% endset %}
        {% set counts = dict(run_query(known).rows | list) %}
        {% for row in found if row[1] == counts.get(row[0]) %}
            {% do restated.days.remove(row[0]) %}
        {% endfor %}
    {% endif %}
    {{ return(restated) }}
{% endmacro %}


{# Raw expires, and the variable that names a sink can be forgotten. Requests must outlive both. #}
{% macro keep_days_that_raw_lost(raw, restated) %}
    {% set lost %}
        select
            cast({{ restated.day }} as string),
            sum(raw_rows),
            sum(known_rows)
        from (
            select {{ restated.day }}, 1 as raw_rows, 0 as known_rows from {{ raw }}
            where {{ is_new_arrival(restated) }}
            union all
            select {{ restated.day }}, 0 as raw_rows, 1 as known_rows from {{ this }}
            where {{ is_new_arrival(restated) }}
        ) as counted
        group by {{ restated.day }}
        having sum(raw_rows) < sum(known_rows)
        order by {{ restated.day }}
    {% endset %}
    {% for day, raw_rows, known_rows in run_query(lost).rows %}
        {% do restated.days.remove(day) %}
        {% do exceptions.warn(
            this.identifier ~ ' keeps its ' ~ known_rows ~ ' rows of ' ~ day ~ ': '
            ~ raw.identifier ~ ' holds only ' ~ raw_rows
            ~ '. Has raw expired, or is the variable audit_sink_dataset missing?'
        ) %}
    {% endfor %}
{% endmacro %}


{% macro last_build() %}
    {% if is_first_build() %}
        {{ return({'is_none': true, 'now': first_read_at()}) }}
    {% endif %}
    {% set entries %}
        select
            cast({{ warehouse_time() }} as string),
            cast(max(read_at) as string),
            cast(max(loaded_through) as string),
            cast({{ settled_through('max(loaded_through)', 'max(read_at)') }} as string)
        from {{ build_log() }}
        where model_name = '{{ this.identifier }}'
    {% endset %}
    {% set found = run_query(entries).rows[0] %}
    {{ return({
        'is_none': found[1] is none,
        'now': found[0],
        'read_at': found[1],
        'loaded_through': found[2],
        'settled_through': found[3],
    }) }}
{% endmacro %}


{% macro is_first_build() %}
    {{ return(not execute or not flags.INTROSPECT or not is_incremental()) }}
{% endmacro %}


{% macro first_read_at() %}
    {% if not execute or not flags.INTROSPECT %}
        {{ return(utc_now()) }}
    {% endif %}
    {{ return(run_query('select cast(' ~ warehouse_time() ~ ' as string)').rows[0][0]) }}
{% endmacro %}


{% macro followed_models(relation) %}
    {% set name = relation.identifier | replace('__dbt__cte__', '') %}
    {% set names = recording_models(graph.nodes['model.pullstats.' ~ name]) | unique | list %}
    {% if not names %}
        {{ exceptions.raise_compiler_error(
            this.identifier ~ ' follows ' ~ name ~ ', which records no days'
        ) }}
    {% endif %}
    {{ return(names) }}
{% endmacro %}


{% macro recording_models(node) %}
    {% set names = [] %}
    {% if 'record_' in node.config['post-hook'] | map(attribute='sql') | join %}
        {% do names.append(node.name) %}
    {% elif node.config.materialized in ('view', 'ephemeral') %}
        {% for id in node.depends_on.nodes if id.startswith('model.') %}
            {% do names.extend(recording_models(graph.nodes[id])) %}
        {% endfor %}
    {% endif %}
    {{ return(names) }}
{% endmacro %}


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
    {{ return(with_adjacent_days([first.isoformat()], after=(last - first).days)) }}
{% endmacro %}


{% macro with_adjacent_days(days, before=0, after=0) %}
    {% set wider = [] %}
    {% for day in days %}
        {% for offset in range(-before, after + 1) %}
            {% do wider.append((
                modules.datetime.date.fromisoformat(day)
                + modules.datetime.timedelta(days=offset)
            ).isoformat()) %}
        {% endfor %}
    {% endfor %}
    {{ return(wider | unique | sort | list) }}
{% endmacro %}


{% macro first_days_of_months(days) %}
    {% set months = [] %}
    {% for day in days %}
        {% do months.append(day[:7] ~ '-01') %}
    {% endfor %}
    {{ return(months | unique | sort | list) }}
{% endmacro %}


{% macro days_of_months(first_days) %}
    {% set days = [] %}
    {% for day in with_adjacent_days(first_days, after=30) if day[:7] ~ '-01' in first_days %}
        {% do days.append(day) %}
    {% endfor %}
    {{ return(days) }}
{% endmacro %}
