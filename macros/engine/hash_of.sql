{% macro hash_of(columns) -%}
    {{ dbt.hash(joined_text(columns)) }}
{%- endmacro %}


{% macro joined_text(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(cast(" ~ column ~ " as string), '')") -%}
    {%- endfor -%}
    concat({{ parts | join(', chr(31), ') }})
{%- endmacro %}
