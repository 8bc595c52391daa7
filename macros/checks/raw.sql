{# Without this check, dbt runs a hundred tests and then ends with an error about columns of a unit test. #}

{% macro check_raw() %}
    {% if not builds_models() %}
        {{ return('') }}
    {% endif %}
    {% set logs = graph.sources.values()
        | selectattr('package_name', 'equalto', 'pullstats')
        | selectattr('source_name', 'in', ['gcs', 'artifact_registry']) | list %}
    {% set raw = api.Relation.create(database=logs[0].database, schema=logs[0].schema) %}
    {% set loaded = logs | map(attribute='identifier') | select('in', relation_names(raw)) | list %}
    {% if not loaded and not audit_sink_tables() %}
        {% do exceptions.raise_compiler_error(
            'no log has been loaded: ' ~ raw.schema ~ ' has none of the tables '
            ~ logs | map(attribute='identifier') | join(', ')
            ~ '. Load first: pullstats load DIR'
        ) %}
    {% endif %}
    {# Listing relations begins a transaction. Without a commit, dbt rolls it back, with all that hooks do. #}
    {% do adapter.commit() %}
{% endmacro %}


{% macro builds_models() %}
    {{ return(
        execute
        and flags.WHICH in ('build', 'run')
        and 'model.pullstats.' in selected_resources | join(' ')
    ) }}
{% endmacro %}
