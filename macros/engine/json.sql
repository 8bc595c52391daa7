{# Fields of a JSON text, which DuckDB parses once for all of them. #}

{% macro json_fields(json_text, paths) %}
    {{- return(adapter.dispatch('json_fields', 'pullstats')(json_text, paths)) -}}
{% endmacro %}

{% macro duckdb__json_fields(json_text, paths) -%}
    try(json_extract_string({{ json_text }}, ['$.{{ paths | join("', '$.") }}']))
{%- endmacro %}

{% macro bigquery__json_fields(json_text, paths) -%}
    struct(
        {%- for path in paths %}
        json_value({{ json_text }}, '$.{{ path }}') as field_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}


{% macro json_field(fields, number) %}
    {{- return(adapter.dispatch('json_field', 'pullstats')(fields, number)) -}}
{%- endmacro %}

{# DuckDB gives the text of an object or a list, where BigQuery gives null. #}
{% macro duckdb__json_field(fields, number) -%}
    {%- set text = fields ~ '[' ~ number ~ ']' -%}
    case
        when not ({{ text }}[1] in ('[', '{') and json_valid({{ text }})) then nullif({{ text }}, '')
    end
{%- endmacro %}

{% macro bigquery__json_field(fields, number) -%}
    nullif({{ fields }}.field_{{ number }}, '')
{%- endmacro %}


{% macro json_value(json_text, path) %}
    {{- return(adapter.dispatch('json_value', 'pullstats')(json_text, path)) -}}
{% endmacro %}

{% macro duckdb__json_value(json_text, path) -%}
    nullif(try(json_extract_string({{ json_text }}, '$.{{ path }}')), '')
{%- endmacro %}

{% macro bigquery__json_value(json_text, path) -%}
    nullif(json_value({{ json_text }}, '$.{{ path }}'), '')
{%- endmacro %}


{% macro micros_of_text(timestamp_text) %}
    {{- return(adapter.dispatch('micros_of_text', 'pullstats')(timestamp_text)) -}}
{% endmacro %}

{% macro duckdb__micros_of_text(timestamp_text) -%}
    epoch_us(try_cast({{ timestamp_text }} as timestamp))
{%- endmacro %}

{# A text with nanoseconds is no timestamp to BigQuery. #}
{% macro bigquery__micros_of_text(timestamp_text) -%}
    unix_micros(safe_cast(
        regexp_replace({{ timestamp_text }}, '([.][0-9]{6})[0-9]+', '\\1') as timestamp
    ))
{%- endmacro %}


{% macro micros_of_timestamp(timestamp) %}
    {{- return(adapter.dispatch('micros_of_timestamp', 'pullstats')(timestamp)) -}}
{% endmacro %}

{% macro duckdb__micros_of_timestamp(timestamp) -%}
    epoch_us({{ timestamp }})
{%- endmacro %}

{% macro bigquery__micros_of_timestamp(timestamp) -%}
    unix_micros({{ timestamp }})
{%- endmacro %}
