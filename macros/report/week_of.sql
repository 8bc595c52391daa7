{#- Weeks begin on Monday, because the engines' own weeks differ. -#}
{% macro weekday_of(date) -%}
    mod({{ dbt.datediff(date_literal('1969-12-29'), date, 'day') }}, 7)
{%- endmacro %}


{% macro week_of(date) -%}
    cast({{ dbt.dateadd('day', '-' ~ weekday_of(date), date) }} as date)
{%- endmacro %}
