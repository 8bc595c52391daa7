{# dbt run-operation forget_person: deletes the lines of an address or a principal from raw, and the requests
   of its pseudonyms. `dbt build --full-refresh` then makes all other tables from the requests that are left. #}

{% macro forget_person(address=none, principal=none) %}
    {% if (address is none) == (principal is none) %}
        {% do exceptions.raise_compiler_error("give one of both: --args '{address: …}' or '{principal: …}'") %}
    {% endif %}
    {% set person = dbt.string_literal(dbt.escape_single_quotes(address or principal)) %}
    {% set used = dict(logs()) if address else {'cloud_audit': logs()['cloud_audit']} %}
    {% set pseudonyms %}
        {%- for staged, _ in used.values() %}
        select distinct
            {{ client_id('logs.client_ip', client_user_agent('logs.user_agent'), 'salts.salt') if address
                else principal_id('logs.principal', 'salts.salt') }} as pseudonym
        from {{ relation_of('model.pullstats.' ~ staged) }} as logs
        cross join {{ relation_of('source.pullstats.private.client_salt') }} as salts
        where logs.{{ 'client_ip' if address else 'principal' }} = {{ person }}
        {{ 'union distinct' if not loop.last }}
        {%- endfor %}
    {% endset %}
    {% set ids = run_query(pseudonyms).columns[0].values() | list %}
    {% if not ids %}
        {% do exceptions.raise_compiler_error('raw has no line of ' ~ (address or principal)) %}
    {% endif %}
    {% for _, records in used.values() %}
        {% do run_query(
            'delete from ' ~ relation_of('model.pullstats.' ~ records) ~ ' where '
            ~ ('client_id' if address else 'principal_id') ~ " in ('" ~ ids | join("', '") ~ "')"
        ) %}
    {% endfor %}
    {% if 'gcs_usage' in used %}
        {% do delete_raw('usage', 'c_ip = ' ~ person) %}
    {% endif %}
    {% if 'cloud_audit' in used %}
        {% do delete_raw('audit', audit_person(none, address) ~ ' = ' ~ person) %}
        {% for table in audit_sink_tables() %}
            {% do run_query(
                'delete from ' ~ table ~ ' as entry where '
                ~ audit_person(adapter.get_columns_in_relation(table), address) ~ ' = ' ~ person
            ) %}
        {% endfor %}
        {% do adapter.commit() %}
    {% endif %}
    {{ log(ids | length ~ ' pseudonyms are deleted. Next: dbt build --full-refresh', info=true) }}
{% endmacro %}


{% macro audit_person(columns, address) -%}
    {%- if address -%}
        {{ audit_field(columns, 'protopayload_auditlog.requestMetadata.callerIp') }}
    {%- else -%}
        {{ principal(
            audit_field(columns, 'protopayload_auditlog.authenticationInfo.principalEmail'),
            audit_field(columns, 'protopayload_auditlog.authenticationInfo.principalSubject')
        ) }}
    {%- endif -%}
{%- endmacro %}


{% macro relation_of(unique_id) %}
    {% set node = graph.nodes.get(unique_id) or graph.sources[unique_id] %}
    {{ return(api.Relation.create(
        database=node.database, schema=node.schema, identifier=node.alias or node.identifier
    )) }}
{% endmacro %}
