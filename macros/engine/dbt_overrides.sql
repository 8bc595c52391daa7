{# Overrides of dbt's macros. They have the names that dbt calls, not those that it dispatches to: dbt
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


{% macro get_insert_overwrite_merge_sql(
    target, source, dest_columns, predicates, include_sql_header=false
) -%}
    {%- set restated = is_restated(
        'DBT_INTERNAL_DEST.' ~ config.get('partition_by').field, restatement_of(model)
    ) -%}
    {{ return(dbt.default__get_insert_overwrite_merge_sql(
        target, source, dest_columns, [restated], include_sql_header
    )) }}
{%- endmacro %}


{# The strategy `replace_days`: within dbt's transaction. dbt's own delete+insert would keep a day
   that has no rows left. #}
{% macro get_incremental_replace_days_sql(arg_dict) -%}
    {%- set columns = arg_dict.dest_columns | map(attribute='quoted') | join(', ') -%}
    delete from {{ arg_dict.target_relation }}
    where {{ is_restated(arg_dict.unique_key, restatement_of(model)) }};
    insert into {{ arg_dict.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arg_dict.temp_relation }}
{%- endmacro %}


{# dbt's own asks twice which columns there are, which takes a tenth of a build. dbt finds this one only
   where pullstats is the root project. #}
{% macro duckdb__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- set comments %}
    {%- if for_relation and config.persist_relation_docs() %}
    comment on {{ relation.type }} {{ relation }} is {{ duckdb_escape_comment(model.description) }};
    {%- endif %}
    {%- for column in model.columns.values() if for_columns and config.persist_column_docs() %}
    comment on column {{ relation }}.{{ column.name }} is {{ duckdb_escape_comment(column.description) }};
    {%- endfor %}
    {% endset -%}
    {%- if comments | trim -%}
        {%- do run_query(comments) -%}
    {%- endif -%}
{%- endmacro %}
