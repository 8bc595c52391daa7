{# where this project puts its models, and those of packages #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ [target.schema, node.package_name, custom_schema_name] | select | join('_') }}
{%- endmacro %}
