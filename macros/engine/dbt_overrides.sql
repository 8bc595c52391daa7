{# The two of dbt's macros that BigQuery needs otherwise. They have the names that dbt calls, not those that it dispatches to: dbt
   looks in a node's own package first, so they serve pullstats' nodes, and no others, in a project that
   installs pullstats as well. #}

{% macro get_where_subquery(relation) -%}
    {%- set conditions = [config.get('where')] if config.get('where') else [] -%}
    {%- for node in graph.get('nodes', {}).values() if node.relation_name == relation | string -%}
        {%- set partitioned = node.config.get('partition_by') or {} -%}
        {%- set day = partitioned.get('field') or node.config.get('meta', {}).get('day') -%}
        {%- if day -%}
            {%- do conditions.append(tested(day, days_before=31 if day.endswith('_month') else 0)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if conditions -%}
        (select * from {{ relation }} where {{ conditions | join(' and ') }}) as dbt_subquery
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}


{# On BigQuery dbt's insert_overwrite would look for the days in the new rows: they can't prune, and a
   day that has no rows left would stay. Its config `partitions` takes days, but as they were at parse
   time. A model that has nothing to restate reads nothing. #}
{% macro get_insert_overwrite_merge_sql(
    target, source, dest_columns, predicates, include_sql_header=false
) -%}
    {%- set replaced = is_replaced('DBT_INTERNAL_DEST.' ~ config.get('partition_by').field) -%}
    {{ return('select 1' if replaced | trim == 'false' else dbt.default__get_insert_overwrite_merge_sql(
        target, source, dest_columns, [replaced], include_sql_header
    )) }}
{%- endmacro %}
