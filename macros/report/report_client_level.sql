{% macro report_client_level() -%}
    case
        when grouping(client_tool) = 0 then 'tool'
        when grouping(traffic_class) = 0 then 'class'
        else 'all'
    end
{%- endmacro %}
