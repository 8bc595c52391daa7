{% macro hash_of(columns) -%}
    {{ dbt.hash(concat_ws_null_safe(columns)) }}
{%- endmacro %}


{% macro concat_ws_null_safe(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(cast(" ~ column ~ " as string), '')") -%}
    {%- endfor -%}
    concat({{ parts | join(', chr(31), ') }})
{%- endmacro %}
