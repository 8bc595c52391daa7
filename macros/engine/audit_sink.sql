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


{# A table per day has no partitions, but its name gives the day. #}
{% macro audit_sink_date(table) -%}
    {%- set day = table.identifier.split('_')[-1] -%}
    {%- if day | length == 8 -%}
        {{ date_literal(day[:4] ~ '-' ~ day[4:6] ~ '-' ~ day[6:]) }}
    {%- else -%}
        cast(entry.timestamp as date)
    {%- endif -%}
{%- endmacro %}


{% macro audit_field(columns, path) -%}
    {%- if columns is none or has_audit_field(columns, path) -%}
        nullif(cast(entry.{{ path }} as string), '')
    {%- else -%}
        cast(null as string)
    {%- endif -%}
{%- endmacro %}


{# The sink adds a column, or a field of one, when an entry first has it. #}
{% macro has_audit_field(columns, path) %}
    {{- return(adapter.dispatch('has_audit_field', 'pullstats')(columns, path.split('.'))) -}}
{% endmacro %}

{# The type of a struct names its fields. #}
{% macro duckdb__has_audit_field(columns, names) %}
    {%- set first = columns | selectattr('name', 'equalto', names[0]) | list -%}
    {{- return(first | length > 0 and (
        names | length == 1 or modules.re.search('\\b' ~ names[-1] ~ '\\b', first[0].dtype) is not none
    )) -}}
{% endmacro %}

{% macro bigquery__has_audit_field(columns, names) %}
    {%- set place = namespace(fields=columns, found=true) -%}
    {%- for name in names -%}
        {%- set here = place.fields | selectattr('name', 'equalto', name) | list -%}
        {%- set place.found = place.found and here | length > 0 -%}
        {%- set place.fields = here[0].fields if here else [] -%}
    {%- endfor -%}
    {{- return(place.found) -}}
{% endmacro %}
