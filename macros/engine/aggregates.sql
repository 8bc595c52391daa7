{# Aggregates with one type and one meaning on both engines. #}

{% macro sum_of(expression) -%}
    {%- set sum = wide_sum(expression) -%}
    {%- set largest = 2 ** 63 - 1 -%}
    cast(case when {{ sum }} > {{ largest }} then {{ largest }} else {{ sum }} end as int64)
{%- endmacro %}


{% macro count_if(condition) -%}
    cast(coalesce(sum(case when {{ condition }} then 1 else 0 end), 0) as int64)
{%- endmacro %}


{% macro sole_value(expression) -%}
    case
        when min({{ expression }}) = max({{ expression }}) then min({{ expression }})
    end
{%- endmacro %}
