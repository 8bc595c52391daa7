{# What a request did. The spellings of both interfaces stand in the seed gcs_operations. #}

{% macro request_operation(operation, client_class) -%}
    case
        when {{ client_class }} = 'lifecycle' then 'lifecycle'
        else coalesce({{ operation }}, 'other')
    end
{%- endmacro %}


{% macro traffic_class(operation, client_network, client_class) -%}
    case
        when {{ operation }} in ('list', 'admin') then 'admin'
        when {{ client_network }} is null and {{ client_class }} = 'unknown' then 'housekeeping'
        else {{ client_class }}
    end
{%- endmacro %}
