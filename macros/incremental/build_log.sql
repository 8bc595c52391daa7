{% macro build_log() -%}
    {{ return(api.Relation.create(
        database=target.database,
        schema=target.schema ~ '_intermediate',
        identifier='build_log'
    )) }}
{%- endmacro %}


{% macro create_build_log() %}
    create schema if not exists {{ build_log().without_identifier() }};
    create table if not exists {{ build_log() }} (
        model_name string,
        restated_date date,
        is_full boolean,
        loaded_through timestamp,
        read_at timestamp,
        recorded_at timestamp
    );
{% endmacro %}


{% macro utc_now() -%}
    {{ return(modules.datetime.datetime.now(modules.pytz.utc).strftime('%Y-%m-%d %H:%M:%S.%f')) }}
{%- endmacro %}


{% macro record_build(arrival_column=none) %}
    {%- set restated = restatement_of(model) %}
    insert into {{ build_log() }}
        (model_name, restated_date, is_full, loaded_through, read_at, recorded_at)
    values
    {%- for day in restated.days or [none] %}
    (
        '{{ this.identifier }}',
        {{ 'cast(null as date)' if day is none else date_literal(day) }},
        {{ 'true' if restated.is_full else 'false' }},
        {% if restated.loaded_through -%}
            {{ timestamp_literal(restated.loaded_through) }}
        {%- elif restated.is_full and arrival_column -%}
            (select max({{ arrival_column }}) from {{ this }})
        {%- else -%}
            cast(null as timestamp)
        {%- endif %},
        {{ timestamp_literal(restated.read_at) }},
        {{ timestamp_literal(utc_now()) }}
    ){{ ',' if not loop.last }}
    {%- endfor %}
{% endmacro %}


{% macro record_changed_blobs(daily) %}
    insert into {{ build_log() }}
        (model_name, restated_date, is_full, loaded_through, read_at, recorded_at)
    select distinct
        '{{ this.identifier }}',
        daily.activity_date,
        false,
        cast(null as timestamp),
        {{ timestamp_literal(restatement_of(model).read_at) }},
        {{ timestamp_literal(utc_now()) }}
    from {{ this }} as changed
    inner join {{ daily }} as daily
        on
            changed.bucket_name = daily.bucket_name
            and changed.digest = daily.digest
    where changed.changed_at > coalesce(
        (select max(read_at) from {{ build_log() }} where model_name = '{{ this.identifier }}'),
        {{ timestamp_literal('1970-01-01 00:00:00') }}
    )
    union all
    select
        '{{ this.identifier }}',
        cast(null as date),
        false,
        cast(null as timestamp),
        {{ timestamp_literal(restatement_of(model).read_at) }},
        {{ timestamp_literal(utc_now()) }}
{% endmacro %}
