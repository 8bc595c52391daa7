{# Whole GiB and the rest are multiplied separately, because bytes times micros don't fit into an int64. #}

{% macro price_nanos(bytes, micros_per_gib) -%}
    {%- set gib = 1073741824 -%}
    {%- set price_of_rest = 'mod(' ~ bytes ~ ', ' ~ gib ~ ') * ' ~ micros_per_gib -%}
    {{ integer_divide(bytes, gib) }} * {{ micros_per_gib }} * 1000
    + {{ integer_divide(price_of_rest, gib) }} * 1000
    + {{ integer_divide('mod(' ~ price_of_rest ~ ', ' ~ gib ~ ') * 1000 + ' ~ gib // 2, gib) }}
{%- endmacro %}
