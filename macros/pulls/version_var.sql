{% macro version_var(name, default=none) -%}
    {%- set version = var(name, default) -%}
    {%- if version is number -%}
        {{ exceptions.raise_compiler_error(
            'The variable ' ~ name ~ ' is the number ' ~ version ~ ', but a version is text: '
            ~ 'YAML reads 26.10 as 26.1. Put it in quotes: {' ~ name ~ ': "26.10"}.'
        ) }}
    {%- endif -%}
    {{ return(version) }}
{%- endmacro %}
