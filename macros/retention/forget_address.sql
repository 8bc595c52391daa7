{# dbt run-operation forget_address: deletes a person's lines from raw, and the requests of their
   pseudonyms. `dbt build --full-refresh` then makes all other tables from the requests that are left. #}

{% macro forget_address(address) %}
    {% set clients %}
        select distinct {{ client_id('logs.client_ip', client_user_agent('logs.user_agent'), 'salts.salt') }}
        from (
            {%- for name in ['stg_gcs__usage_logs', 'stg_artifact_registry__audit_logs'] %}
            select client_ip, user_agent from {{ relation_of('model.pullstats.' ~ name) }}
            {{ 'union all' if not loop.last }}
            {%- endfor %}
        ) as logs
        cross join {{ relation_of('source.pullstats.private.client_salt') }} as salts
        where logs.client_ip = '{{ address }}'
    {% endset %}
    {% set ids = run_query(clients).columns[0].values() | list %}
    {% if not ids %}
        {% do exceptions.raise_compiler_error('raw has no line of ' ~ address) %}
    {% endif %}
    {% for name in ['int_gcs_request_records', 'int_artifact_registry_request_records'] %}
        {% do run_query(
            'delete from ' ~ relation_of('model.pullstats.' ~ name) ~ " where client_id in ('"
            ~ ids | join("', '") ~ "')"
        ) %}
    {% endfor %}
    {% do forget_raw('usage', 'gcs.usage', "c_ip = '" ~ address ~ "'") %}
    {% do forget_raw(
        'audit', 'artifact_registry.audit_logs',
        "protopayload_auditlog.requestMetadata.callerIp = '" ~ address ~ "'"
    ) %}
    {{ log(ids | length ~ ' pseudonyms are deleted. Next: dbt build --full-refresh', info=true) }}
{% endmacro %}


{# A load and a test compare raw with the number of rows in the ledger. #}

{% macro forget_raw(kind, source_name, condition) %}
    {% set raw = relation_of('source.pullstats.' ~ source_name) %}
    {% set ledger = relation_of('source.pullstats.loader.loaded_objects') %}
    {% set landing = 'coalesce(job_id, object_uri)' %}
    {% set count = run_query('select count(*) from ' ~ raw ~ ' where ' ~ condition).rows[0][0] %}
    {% if count %}
        {% do run_query('delete from ' ~ raw ~ ' where ' ~ condition) %}
        {% do run_query(
            'update ' ~ ledger ~ ' set job_row_count = coalesce(job_row_count, row_count) - ' ~ count
            ~ ' where ' ~ landing ~ ' = (select ' ~ landing ~ ' from ' ~ ledger ~ " where kind = '" ~ kind
            ~ "' order by loaded_at desc, " ~ landing ~ ' limit 1)'
        ) %}
    {% endif %}
{% endmacro %}


{% macro relation_of(unique_id) %}
    {% set node = graph.nodes.get(unique_id) or graph.sources[unique_id] %}
    {{ return(api.Relation.create(
        database=node.database, schema=node.schema, identifier=node.alias or node.identifier
    )) }}
{% endmacro %}
