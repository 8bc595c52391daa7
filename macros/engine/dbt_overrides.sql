{# Two of dbt's macros that BigQuery needs in another form. They have the names that dbt calls, and not the
   names that it dispatches to. Because dbt looks in a node's own package first, they apply only to nodes of
   pullstats, also in a project that installs it. #}

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


{# On BigQuery, dbt's insert_overwrite takes the days from the new rows. These don't prune, and a day without
   rows stays. Its config `partitions` takes days, but those of parse time. A model that has nothing to
   restate reads nothing. #}
{% macro get_insert_overwrite_merge_sql(
    target, source, dest_columns, predicates, include_sql_header=false
) -%}
    {%- set replaced = is_replaced('DBT_INTERNAL_DEST.' ~ config.get('partition_by').field) -%}
    {{ return('select 1' if replaced | trim == 'false' else dbt.default__get_insert_overwrite_merge_sql(
        target, source, dest_columns, [replaced], include_sql_header
    )) }}
{%- endmacro %}
