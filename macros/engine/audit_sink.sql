{# The table, or the table per day, that a BigQuery sink writes. #}

{% macro audit_sink_tables(name='cloudaudit_googleapis_com_data_access') %}
    {%- set tables = [] -%}
    {%- if execute and flags.INTROSPECT and var('audit_sink_dataset') -%}
        {%- set place = var('audit_sink_dataset').split('.') -%}
        {%- set dataset = api.Relation.create(
            database=place[0] if place | length > 1 else target.database, schema=place[-1]
        ) -%}
        {%- for table in relation_names(dataset) | sort
            if modules.re.fullmatch(name ~ '(_[0-9]{8})?', table) -%}
            {%- do tables.append(dataset.incorporate(path={'identifier': table})) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(tables) }}
{% endmacro %}


{% macro relation_names(schema) %}
    {{- return(adapter.dispatch('relation_names', 'pullstats')(schema)) -}}
{% endmacro %}

{% macro duckdb__relation_names(schema) %}
    {{- return(duckdb__list_relations_without_caching(schema).columns['name'].values()) -}}
{% endmacro %}

{% macro bigquery__relation_names(schema) %}
    {{- return(
        adapter.list_relations_without_caching(schema) | map(attribute='identifier') | list
    ) -}}
{% endmacro %}


{# A table per day has no partitions to prune; its name does that. #}
{% macro audit_sink_date(table) -%}
    {%- set day = table.identifier.split('_')[-1] -%}
    {%- if day | length == 8 -%}
        {{ date_literal(day[:4] ~ '-' ~ day[4:6] ~ '-' ~ day[6:]) }}
    {%- else -%}
        cast(sink.timestamp as date)
    {%- endif -%}
{%- endmacro %}


{% macro audit_sink_field(columns, path) %}
    {{- return(adapter.dispatch('audit_sink_field', 'pullstats')(columns, path)) -}}
{% endmacro %}

{% macro duckdb__audit_sink_field(columns, path) -%}
    nullif(json_extract_string(to_json(sink), '$.{{ path }}'), '')
{%- endmacro %}

{# The sink adds a column, or a field of one, when an entry first has it. #}
{% macro bigquery__audit_sink_field(columns, path) -%}
    {%- set place = namespace(fields=columns, found=true) -%}
    {%- for name in path.split('.') -%}
        {%- set here = place.fields | selectattr('name', 'equalto', name) | list -%}
        {%- set place.found = place.found and here | length > 0 -%}
        {%- set place.fields = here[0].fields if here else [] -%}
    {%- endfor -%}
    {%- if place.found -%}
        nullif(cast(sink.{{ path }} as string), '')
    {%- else -%}
        cast(null as string)
    {%- endif -%}
{%- endmacro %}
