{# Without a log, dbt would end with an error about columns of a unit test, after a hundred tests. #}

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
    {# to list relations begins a transaction, which dbt would roll back with what hooks do in it #}
    {% do adapter.commit() %}
{% endmacro %}


{% macro builds_models() %}
    {{ return(
        execute
        and flags.WHICH in ('build', 'run')
        and 'model.pullstats.' in selected_resources | join(' ')
    ) }}
{% endmacro %}
