{% macro hash_of(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(cast(" ~ column ~ " as string), '')") -%}
    {%- endfor -%}
    {{ dbt.hash('concat(' ~ parts | join(', chr(31), ') ~ ')') }}
{%- endmacro %}
