{# One statement, so that of two first builds only one makes the table. #}

{% macro create_client_salt() %}
    {% set client_salt = source('private', 'client_salt') %}
    {% if builds_models() and not relation_exists(client_salt) %}
        {% do run_query('create schema if not exists ' ~ client_salt.without_identifier().render()) %}
        {% do run_query(
            'create table if not exists ' ~ client_salt.render() ~ ' as select ' ~ random_uuid()
            ~ ' as salt'
        ) %}
        {% do adapter.commit() %}
    {% endif %}
{% endmacro %}
