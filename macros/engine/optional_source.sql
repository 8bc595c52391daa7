{# A relation that need not exist: without it, it is empty, of the columns that its YAML names. #}

{% macro optional_source(source_name, table_name) -%}
    {%- set relation = source(source_name, table_name) -%}
    {%- if is_there(relation) -%}
        {{ return(relation) }}
    {%- endif -%}
    {{ no_rows_of(graph.sources.values()
        | selectattr('source_name', 'equalto', source_name)
        | selectattr('name', 'equalto', table_name)
        | first) }}
{%- endmacro %}


{% macro optional_mart(mart) -%}
    {%- set relation = ref(mart) -%}
    {%- if is_there(relation) -%}
        {{ return(relation) }}
    {%- endif -%}
    {{ no_rows_of(graph.nodes['model.pullstats.' ~ mart]) }}
{%- endmacro %}


{% macro is_there(relation) -%}
    {{ return(not execute or not flags.INTROSPECT or adapter.get_relation(
        relation.database, relation.schema, relation.identifier
    ) is not none) }}
{%- endmacro %}


{% macro no_rows_of(node) -%}
    (
        select
            {%- for column in node.columns.values() %}
            cast(null as {{ column.data_type }}) as {{ column.name }}{{ ',' if not loop.last }}
            {%- endfor %}
        limit 0
    )
{%- endmacro %}
