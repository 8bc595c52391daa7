{% macro log_micros(micros) -%}
    case when {{ micros }} between 0 and 253402300799999999 then {{ micros }} else 0 end
{%- endmacro %}
