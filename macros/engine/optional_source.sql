{# A relation that may be missing. It then has no rows, and the columns of its YAML. #}

{% macro optional_source(source_name, table_name) -%}
    {%- set relation = source(source_name, table_name) -%}
    {%- if source_exists(relation) -%}
        {{ return(relation) }}
    {%- endif -%}
    {{ empty_like(graph.sources.values()
        | selectattr('source_name', 'equalto', source_name)
        | selectattr('name', 'equalto', table_name)
        | first) }}
{%- endmacro %}


{# A unit test's rows are a CTE of this prefix. #}
{% macro source_exists(relation) -%}
    {{ return(relation.identifier.startswith('__dbt__cte__') or relation_exists(relation)) }}
{%- endmacro %}


{% macro relation_exists(relation) -%}
    {{ return(not execute or not flags.INTROSPECT or adapter.get_relation(
        relation.database, relation.schema, relation.identifier
    ) is not none) }}
{%- endmacro %}


{% macro empty_like(node) -%}
    (
        select
            {%- for column in node.columns.values() | selectattr('data_type') %}
            cast(null as {{ column.data_type }}) as {{ column.name }}{{ ',' if not loop.last }}
            {%- endfor %}
        limit 0
    )
{%- endmacro %}
