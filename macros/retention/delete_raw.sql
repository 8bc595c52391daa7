{# dbt run-operation delete_raw: deletes rows of a raw table, and corrects the ledger, with which a test compares raw. #}

{% macro delete_raw(kind, condition) %}
    {% set tables = {'usage': 'gcs.usage', 'audit': 'artifact_registry.audit_logs'} %}
    {% if kind not in tables %}
        {% do exceptions.raise_compiler_error('kind is usage or audit, not ' ~ kind) %}
    {% endif %}
    {% set raw = relation_of('source.pullstats.' ~ tables[kind]) %}
    {% set ledger = relation_of('source.pullstats.loader.loaded_objects') %}
    {% set landing = 'coalesce(job_id, object_uri)' %}
    {% set count = run_query('select count(*) from ' ~ raw ~ ' as entry where ' ~ condition).rows[0][0]
        if relation_exists(raw) else 0 %}
    {% if count %}
        {% do run_query('delete from ' ~ raw ~ ' as entry where ' ~ condition) %}
        {% do run_query(
            'update ' ~ ledger ~ ' set job_row_count = coalesce(job_row_count, row_count) - ' ~ count
            ~ ' where ' ~ landing ~ ' = (select ' ~ landing ~ ' from ' ~ ledger ~ " where kind = '" ~ kind
            ~ "' order by loaded_at desc, " ~ landing ~ ' limit 1)'
        ) %}
    {% endif %}
    {# asking whether a table exists began a transaction #}
    {% do adapter.commit() %}
    {{ log(raw ~ ': ' ~ count ~ ' rows are deleted', info=true) }}
{% endmacro %}
