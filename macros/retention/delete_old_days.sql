{# dbt run-operation delete_old_days: deletes the requests of months that are older than `keep_days`, and
   the rows that are made from them. The next build makes tables without a day from the rows that are left. #}

{% macro delete_old_days() %}
    {% set first_day = first_kept_day() %}
    {% if not first_day %}
        {% do exceptions.raise_compiler_error('set keep_days to the number of days that you keep') %}
    {% endif %}
    {% set first_time = timestamp_literal(first_day ~ ' 00:00:00') %}
    {% for node in graph.nodes.values() if forgets(node) %}
        {% set key = node.config.unique_key %}
        {% set is_old = 'last_seen_at < ' ~ first_time if key.endswith('_id')
            else key ~ ' < ' ~ date_literal(first_day) %}
        {% do run_query(
            'delete from ' ~ api.Relation.create(
                database=node.database, schema=node.schema, identifier=node.alias
            ) ~ ' where ' ~ is_old
        ) %}
        {{ log(node.name ~ ': rows before ' ~ first_day ~ ' are deleted', info=true) }}
    {% endfor %}
{% endmacro %}


{# Facts about blobs and images stay, because they name no client and decide how later days are counted. #}

{% macro forgets(node) %}
    {{ return(
        node.resource_type == 'model'
        and node.package_name == 'pullstats'
        and node.config.materialized == 'incremental'
        and modules.re.search('_(date|month)$|_id$', node.config.unique_key | string)
        and '_votes_' not in node.name
    ) }}
{% endmacro %}


{# The first day of a month, because rows of tables by month go with all of their days. #}

{% macro first_kept_day() %}
    {% if var('keep_days') is none %}
        {{ return(none) }}
    {% endif %}
    {% set day = run_started_at - modules.datetime.timedelta(days=var('keep_days')) %}
    {{ return(day.strftime('%Y-%m-01')) }}
{% endmacro %}
