{# What the two engines write differently. No model and no test names an engine. #}

{% macro micros_to_timestamp(micros) %}
    {{- return(adapter.dispatch('micros_to_timestamp', 'pullstats')(micros)) -}}
{% endmacro %}

{% macro duckdb__micros_to_timestamp(micros) -%}
    make_timestamp({{ micros }})
{%- endmacro %}

{% macro bigquery__micros_to_timestamp(micros) -%}
    timestamp_micros({{ micros }})
{%- endmacro %}


{% macro regexp_like(text, pattern) %}
    {{- return(adapter.dispatch('regexp_like', 'pullstats')(text, pattern)) -}}
{% endmacro %}

{% macro duckdb__regexp_like(text, pattern) -%}
    regexp_matches({{ text }}, {{ pattern }})
{%- endmacro %}

{% macro bigquery__regexp_like(text, pattern) -%}
    regexp_contains({{ text }}, {{ pattern }})
{%- endmacro %}


{% macro regexp_group(text, pattern) %}
    {{- return(adapter.dispatch('regexp_group', 'pullstats')(text, pattern)) -}}
{% endmacro %}

{% macro duckdb__regexp_group(text, pattern) -%}
    nullif(regexp_extract({{ text }}, {{ pattern }}, 1), '')
{%- endmacro %}

{% macro bigquery__regexp_group(text, pattern) -%}
    nullif(regexp_extract({{ text }}, {{ pattern }}), '')
{%- endmacro %}


{% macro fingerprint(columns) %}
    {{- return(adapter.dispatch('fingerprint', 'pullstats')(columns)) -}}
{% endmacro %}

{% macro duckdb__fingerprint(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{% macro bigquery__fingerprint(columns) -%}
    farm_fingerprint({{ concat_ws_null_safe(columns) }})
{%- endmacro %}


{% macro random_uuid() %}
    {{- return(adapter.dispatch('random_uuid', 'pullstats')()) -}}
{% endmacro %}

{% macro duckdb__random_uuid() -%}
    cast(uuid() as string)
{%- endmacro %}

{% macro bigquery__random_uuid() -%}
    generate_uuid()
{%- endmacro %}


{% macro integer_divide(dividend, divisor) %}
    {{- return(adapter.dispatch('integer_divide', 'pullstats')(dividend, divisor)) -}}
{% endmacro %}

{% macro duckdb__integer_divide(dividend, divisor) -%}
    cast(({{ dividend }}) // ({{ divisor }}) as int64)
{%- endmacro %}

{% macro bigquery__integer_divide(dividend, divisor) -%}
    div(({{ dividend }}), ({{ divisor }}))
{%- endmacro %}


{% macro date_literal(iso_date) -%}
    date '{{ iso_date }}'
{%- endmacro %}


{% macro timestamp_literal(iso_timestamp) -%}
    timestamp '{{ iso_timestamp }}'
{%- endmacro %}


{% macro days_from_to(first, last) %}
    {{- return(adapter.dispatch('days_from_to', 'pullstats')(first, last)) -}}
{% endmacro %}

{% macro duckdb__days_from_to(first, last) -%}
    select
        cast(unnest(generate_series({{ first }}, {{ last }}, interval 1 day)) as date)
            as calendar_date
{%- endmacro %}

{% macro bigquery__days_from_to(first, last) -%}
    select calendar_date
    from unnest(generate_date_array({{ first }}, {{ last }})) as calendar_date
{%- endmacro %}


{% macro warehouse_time() %}
    {{- return(adapter.dispatch('warehouse_time', 'pullstats')()) -}}
{% endmacro %}

{# The machine's clock: DuckDB's own doesn't advance within a transaction. #}
{% macro duckdb__warehouse_time() -%}
    {%- set now = modules.datetime.datetime.now(modules.pytz.utc) -%}
    {{ timestamp_literal(now.strftime('%Y-%m-%d %H:%M:%S.%f')) }}
{%- endmacro %}

{# The service's clock: builds may run on several machines. #}
{% macro bigquery__warehouse_time() -%}
    current_timestamp()
{%- endmacro %}


{# What counts as one arrival. #}
{% macro arrival_unit(loaded_at) %}
    {{- return(adapter.dispatch('arrival_unit', 'pullstats')(loaded_at)) -}}
{% endmacro %}

{% macro duckdb__arrival_unit(loaded_at) -%}
    {{ loaded_at }}
{%- endmacro %}

{% macro bigquery__arrival_unit(loaded_at) -%}
    timestamp_trunc({{ loaded_at }}, hour)
{%- endmacro %}


{# The last arrival that is complete for a run that began at a time. #}
{% macro settled_through(loaded_through, started_at) %}
    {{- return(adapter.dispatch('settled_through', 'pullstats')(loaded_through, started_at)) -}}
{% endmacro %}

{# A batch on DuckDB is complete when it is visible. #}
{% macro duckdb__settled_through(loaded_through, started_at) -%}
    {{ loaded_through }}
{%- endmacro %}

{# An ingestion hour on BigQuery grows until it ends, and load jobs can commit a little later. #}
{% macro bigquery__settled_through(loaded_through, started_at) -%}
    timestamp_trunc(
        least({{ loaded_through }}, timestamp_sub({{ started_at }}, interval 2 hour)), hour
    )
{%- endmacro %}


{# Source, day and loaded_after of this run's rows in a list of days, otherwise of the newest run's rows. #}
{% macro listed_days(list) %}
    {{- return(adapter.dispatch('listed_days', 'pullstats')(list)) -}}
{% endmacro %}

{% macro duckdb__listed_days(list) %}
    {% if list.identifier.endswith('_changed_days') %}
        {{ return(run_query(
            'select log_source, cast(changed_date as string), null from ' ~ list
            ~ ' qualify row_number() over (partition by log_source order by changed_date desc) <= '
            ~ var('max_restated_days')
        ).rows) }}
    {% endif %}
    {{ return(run_query(
        'select distinct log_source, cast(restated_date as string), cast(loaded_after as string) from '
        ~ list ~ " where started_at = (select coalesce(max(case when run_id = '" ~ run_id()
        ~ "' then started_at end), max(started_at)) from " ~ list ~ ')'
    ).rows) }}
{% endmacro %}

{# A query costs a statement and 10 MiB for each model; a table's description costs nothing. #}
{% macro bigquery__listed_days(list) %}
    {% set published = fromjson(adapter.get_bq_table(list).description or '', {}) %}
    {{ return(published[run_id()] if run_id() in published else duckdb__listed_days(list)) }}
{% endmacro %}


{% macro publish_days() %}
    {{- return(adapter.dispatch('publish_days', 'pullstats')()) -}}
{% endmacro %}

{% macro duckdb__publish_days() %}
{% endmacro %}

{% macro bigquery__publish_days() %}
    {% if execute %}
        {% set rows = [] %}
        {% for row in duckdb__listed_days(this) %}
            {% do rows.append(row | list) %}
        {% endfor %}
        {% set description = tojson({run_id(): rows}) %}
        {% do adapter.update_table_description(
            this.database, this.schema, this.identifier,
            description if description | length < 16000 else ''
        ) %}
    {% endif %}
{% endmacro %}


{# DuckDB lets one process open a database. #}
{% macro may_run_at_once() %}
    {{- return(adapter.dispatch('may_run_at_once', 'pullstats')()) -}}
{% endmacro %}

{% macro duckdb__may_run_at_once() %}
    {{- return(false) -}}
{% endmacro %}

{% macro bigquery__may_run_at_once() %}
    {{- return(true) -}}
{% endmacro %}


{% macro month_of(date) -%}
    cast({{ dbt.date_trunc('month', date) }} as date)
{%- endmacro %}


{% macro by_day(day) %}
    {{- return(adapter.dispatch('by_day', 'pullstats')(day)) -}}
{% endmacro %}

{# dbt-duckdb uses `partition_by` for its own lake formats, and fails on BigQuery's form. #}
{% macro duckdb__by_day(day) %}
    {{- return(none) -}}
{% endmacro %}

{% macro bigquery__by_day(day) %}
    {{- return({'field': day, 'data_type': 'date', 'granularity': 'day'}) -}}
{% endmacro %}


{% macro update_strategy() %}
    {{- return(adapter.dispatch('update_strategy', 'pullstats')()) -}}
{% endmacro %}

{# MERGE on DuckDB takes a hundred times longer when it rewrites strings that it has written. #}
{% macro duckdb__update_strategy() %}
    {{- return('delete+insert') -}}
{% endmacro %}

{% macro bigquery__update_strategy() %}
    {{- return('merge') -}}
{% endmacro %}


{# dbt's delete+insert would keep a day with no rows left. #}
{% macro get_incremental_whole_days_sql(arguments) %}
    {% set replaced = is_replaced(arguments.unique_key) %}
    {% if replaced | trim == 'false' %}
        {{ return('select 1') }}
    {% endif %}
    delete from {{ arguments.target_relation }} where {{ replaced }};
    {{ dbt.get_insert_into_sql(
        arguments.target_relation, arguments.temp_relation, arguments.dest_columns
    ) }}
{% endmacro %}


{% macro materialized_cte(once=true) %}
    {{- return(adapter.dispatch('materialized_cte', 'pullstats')(once)) -}}
{% endmacro %}

{# By itself, DuckDB may evaluate a CTE once per reference, or keep one that costs less to repeat. #}
{% macro duckdb__materialized_cte(once) -%}
    {{ 'materialized (' if once else 'not materialized (' }}
{%- endmacro %}

{% macro bigquery__materialized_cte(once) -%}
    (
{%- endmacro %}


{% macro tested(column, as_time=false, days_before=0) %}
    {{- return(adapter.dispatch('tested', 'pullstats')(column, as_time, days_before)) -}}
{% endmacro %}

{% macro duckdb__tested(column, as_time, days_before) -%}
    {{ column ~ ' >= ' ~ date_literal(first_kept_day()) if first_kept_day() and not as_time else 'true' }}
{%- endmacro %}

{# BigQuery bills the bytes that tests read. #}
{% macro bigquery__tested(column, as_time, days_before) -%}
    {%- set days = var('test_lookback_days') + days_before -%}
    {%- set first = run_started_at - modules.datetime.timedelta(days=days) -%}
    {%- if as_time -%}
        {{ column }} >= {{ timestamp_literal(first.date().isoformat() ~ ' 00:00:00') }}
    {%- else -%}
        {{ column }} >= {{ date_literal([first.date().isoformat(), first_kept_day() or ''] | max) }}
    {%- endif -%}
{%- endmacro %}


{% macro wide_sum(expression) %}
    {{- return(adapter.dispatch('wide_sum', 'pullstats')(expression)) -}}
{% endmacro %}

{% macro duckdb__wide_sum(expression) -%}
    sum({{ expression }})
{%- endmacro %}

{% macro bigquery__wide_sum(expression) -%}
    sum(cast({{ expression }} as numeric))
{%- endmacro %}


{% macro first_row(columns, condition) %}
    {{- return(adapter.dispatch('first_row', 'pullstats')(columns, condition, 'min', 'asc')) -}}
{% endmacro %}

{% macro last_row(columns, condition) %}
    {{- return(adapter.dispatch('first_row', 'pullstats')(columns, condition, 'max', 'desc')) -}}
{% endmacro %}

{% macro duckdb__first_row(columns, condition, aggregate, direction) -%}
    {{ aggregate }}(case
        when {{ condition }}
            then struct_pack({% for column in columns %}{{ column }} := {{ column }}{{ ', ' if not loop.last }}{% endfor %})
    end)
{%- endmacro %}

{% macro bigquery__first_row(columns, condition, aggregate, direction) -%}
    array_agg(
        case when {{ condition }} then struct({{ columns | join(', ') }}) end ignore nulls
        order by {{ columns | join(' ' ~ direction ~ ', ') }} {{ direction }} limit 1
    )[safe_offset(0)]
{%- endmacro %}


{% macro field_of(row, column) -%}
    {{ row }}.{{ column }}
{%- endmacro %}
