{# dbt run-operation delete_old_days: forgets the requests, and all that is made of them, of the months
   that are older than `keep_days`. The next build makes tables without a day from what is left. #}

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


{# What is known of blobs and images names no client, and decides how later days are counted. #}

{% macro forgets(node) %}
    {{ return(
        node.resource_type == 'model'
        and node.package_name == 'pullstats'
        and node.config.materialized == 'incremental'
        and modules.re.search('_(date|month)$|_id$', node.config.unique_key | string)
        and '_votes_' not in node.name
    ) }}
{% endmacro %}


{# The first day of a month, since tables by month are deleted with the days that they sum up. #}

{% macro first_kept_day() %}
    {% if var('keep_days') is none %}
        {{ return(none) }}
    {% endif %}
    {% set day = run_started_at - modules.datetime.timedelta(days=var('keep_days')) %}
    {{ return(day.strftime('%Y-%m-01')) }}
{% endmacro %}
