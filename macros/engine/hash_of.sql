{% macro hash_of(columns) -%}
    {{ dbt.hash(concat_ws_null_safe(columns)) }}
{%- endmacro %}


{# DuckDB compares texts of up to 12 characters without following a pointer; 12 hold 72 bits. #}
{% macro short_hash_of(columns) -%}
    left(to_base64(from_hex({{ hash_of(columns) }})), 12)
{%- endmacro %}


{% macro concat_ws_null_safe(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(cast(" ~ column ~ " as string), '')") -%}
    {%- endfor -%}
    concat({{ parts | join(', chr(31), ') }})
{%- endmacro %}
