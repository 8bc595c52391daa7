{% macro log_micros(micros) -%}
    case when {{ micros }} between 0 and 221845392000000000 then {{ micros }} else 0 end
{%- endmacro %}
