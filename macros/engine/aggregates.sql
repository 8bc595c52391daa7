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


{% macro first_row(columns, condition) %}
    {{- return(adapter.dispatch('first_row', 'pullstats')(columns, condition, 'min', 'asc')) -}}
{% endmacro %}

{% macro last_row(columns, condition) %}
    {{- return(adapter.dispatch('first_row', 'pullstats')(columns, condition, 'max', 'desc')) -}}
{% endmacro %}

{% macro duckdb__first_row(columns, condition, aggregate, direction) -%}
    {{ aggregate }}(case
        when {{ condition }}
            then struct_pack({% for column in columns %}{{ column }} := {{ column }}{{ ', ' if not loop.last }}{% endfor %})
    end)
{%- endmacro %}

{% macro bigquery__first_row(columns, condition, aggregate, direction) -%}
    array_agg(
        case when {{ condition }} then struct({{ columns | join(', ') }}) end ignore nulls
        order by {{ columns | join(' ' ~ direction ~ ', ') }} {{ direction }} limit 1
    )[safe_offset(0)]
{%- endmacro %}
