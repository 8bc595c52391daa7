{% macro json_value(json_text, path) %}
    {{- return(adapter.dispatch('json_value', 'pullstats')(json_text, path)) -}}
{% endmacro %}

{% macro duckdb__json_value(json_text, path) -%}
    nullif(try(json_extract_string({{ json_text }}, '$.{{ path }}')), '')
{%- endmacro %}

{% macro bigquery__json_value(json_text, path) -%}
    nullif(json_value({{ json_text }}, '$.{{ path }}'), '')
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
