{# The logs in use, and each one's models of raw rows and of records. #}

{% macro logs() %}
    {% set found = {
        'gcs_usage': ('stg_gcs__usage_logs', 'int_gcs_request_records'),
        'cloud_audit': ('stg_artifact_registry__audit_logs', 'int_artifact_registry_request_records'),
    } %}
    {% if not var('using_bucket_logs') %}
        {% do found.pop('gcs_usage') %}
    {% endif %}
    {% if not var('using_audit_logs') %}
        {% do found.pop('cloud_audit') %}
    {% endif %}
    {% if not found %}
        {% do exceptions.raise_compiler_error('using_bucket_logs and using_audit_logs are both false') %}
    {% endif %}
    {{ return(found) }}
{% endmacro %}
