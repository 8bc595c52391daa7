{# A source that need not exist: without its table it is empty, of the columns that the YAML names. #}

{% macro optional_source(source_name, table_name) -%}
    {%- set relation = source(source_name, table_name) -%}
    {%- set is_missing = execute and flags.INTROSPECT and not adapter.get_relation(
        relation.database, relation.schema, relation.identifier
    ) -%}
    {%- if not is_missing -%}
        {{ return(relation) }}
    {%- endif -%}
    {%- set node = graph.sources.values()
        | selectattr('source_name', 'equalto', source_name)
        | selectattr('name', 'equalto', table_name)
        | first -%}
    (
        select
            {%- for column in node.columns.values() %}
            cast(null as {{ column.data_type }}) as {{ column.name }}{{ ',' if not loop.last }}
            {%- endfor %}
        limit 0
    )
{%- endmacro %}
