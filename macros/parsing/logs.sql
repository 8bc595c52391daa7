{# The logs in use, each with its model of raw rows and its model of records. It switches models on and off. #}

{% macro logs() %}
    {% set found = {} %}
    {% for variable, log_source, models in [
        ('using_bucket_logs', 'gcs_usage', ('stg_gcs__usage_logs', 'int_gcs_request_records')),
        ('using_audit_logs', 'cloud_audit', (
            'stg_artifact_registry__audit_logs', 'int_artifact_registry_request_records'
        )),
    ] %}
        {% if var(variable) is not boolean %}
            {% do exceptions.raise_compiler_error(
                'the variable ' ~ variable ~ ' is ' ~ var(variable) ~ ', but must be true or false'
            ) %}
        {% elif var(variable) %}
            {% do found.update({log_source: models}) %}
        {% endif %}
    {% endfor %}
    {% if not found %}
        {% do exceptions.raise_compiler_error('using_bucket_logs and using_audit_logs are both false') %}
    {% endif %}
    {{ return(found) }}
{% endmacro %}
