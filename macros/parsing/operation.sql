{# The operation of a request. The seed gcs_operations has the spellings of both interfaces. #}

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


{% macro failure_reason(status_code) -%}
    case
        when {{ status_code }} = 401 then 'unauthenticated'
        when {{ status_code }} = 403 then 'forbidden'
        when {{ status_code }} in (404, 410) then 'not_found'
        when {{ status_code }} in (408, 499, 504) then 'timeout'
        when {{ status_code }} = 412 then 'precondition_failed'
        when {{ status_code }} = 416 then 'range_not_satisfiable'
        when {{ status_code }} = 429 then 'rate_limited'
        when {{ status_code }} >= 500 then 'server_error'
        when {{ status_code }} >= 400 then 'client_error'
    end
{%- endmacro %}
