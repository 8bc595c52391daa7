{# Whole GiB and the rest apart: bytes times micros would not fit into an int64. #}

{% macro price_micros(bytes, micros_per_gib) -%}
    {{ integer_divide(bytes, 1073741824) }} * {{ micros_per_gib }}
    + {{ integer_divide('mod(' ~ bytes ~ ', 1073741824) * ' ~ micros_per_gib, 1073741824) }}
{%- endmacro %}
