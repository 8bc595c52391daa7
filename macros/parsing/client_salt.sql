{# One statement, so that of two first builds only one makes the table. #}

{% macro create_client_salt() %}
    {%- if is_selected() %}
    {%- set client_salt = source('private', 'client_salt') %}
    create schema if not exists {{ client_salt.without_identifier().render() }};
    create table if not exists {{ client_salt.render() }} as select {{ random_uuid() }} as salt;
    {%- endif %}
{% endmacro %}
