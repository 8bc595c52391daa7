{% macro build_log() -%}
    {%- set beside = graph.get('nodes', {}).get('model.pullstats.int_blobs', target) -%}
    {{ return(api.Relation.create(
        database=beside.database, schema=beside.schema, identifier='build_log'
    )) }}
{%- endmacro %}


{# dbt runs a package's hooks with every command of the project that installs it. #}
{% macro is_selected() -%}
    {{ return('.pullstats.' in selected_resources | join(' ')) }}
{%- endmacro %}


{% macro create_build_log() %}
    {%- if is_selected() %}
    create schema if not exists {{ build_log().without_identifier() }};
    create table if not exists {{ build_log() }} (
        model_name string,
        restated_date date,
        is_full boolean,
        loaded_through timestamp,
        read_at timestamp,
        recorded_at timestamp
    );
    {%- endif %}
{% endmacro %}


{% macro utc_now() -%}
    {{ return(modules.datetime.datetime.now(modules.pytz.utc).strftime('%Y-%m-%d %H:%M:%S.%f')) }}
{%- endmacro %}


{% macro record_build() %}
    {%- set restated = restatement_of(model) %}
    {%- set loaded_through = 'cast(null as timestamp)' %}
    {%- if restated.loaded_through %}
        {%- set loaded_through = timestamp_literal(restated.loaded_through) %}
    {%- elif restated.is_full and restated.arrival %}
        {%- set loaded_through = '(select max(' ~ restated.arrival ~ ') from ' ~ this ~ ')' %}
    {%- endif %}
    {{ build_log_entries(
        restated.days, restated.is_full, timestamp_literal(restated.read_at), loaded_through
    ) }}
{% endmacro %}


{% macro build_log_entries(days, is_full, read_at, loaded_through='cast(null as timestamp)') %}
    {%- set recorded_at = warehouse_time() %}
    insert into {{ build_log() }}
        (model_name, restated_date, is_full, loaded_through, read_at, recorded_at)
    values
    {%- for day in days or [none] %}
    (
        '{{ this.identifier }}',
        {{ 'cast(null as date)' if day is none else date_literal(day) }},
        {{ 'true' if is_full else 'false' }},
        {{ loaded_through }},
        {{ read_at }},
        {{ recorded_at }}
    ){{ ',' if not loop.last }}
    {%- endfor %}
{% endmacro %}
