-- For each log and arrival, the requests account for all rows of raw, so nothing is dropped
-- silently. Rows that landed after the run read raw, or that may still grow in number, are not
-- compared. Beside a BigQuery sink a run looks back some days only, which
-- assert_back_filled_days_are_read covers.
{%- set sources = logs() %}
{%- if var('audit_sink_dataset') %}
{%- do sources.pop('cloud_audit', none) %}
{%- endif %}
with

read_through as (

    select
        log_source,
        max({{ settled_through('loaded_through', 'started_at') }}) as settled_at
    from {{ ref('pullstats', 'int_build_days') }}
    where finished_at is not null or run_id = '{{ run_id() }}'
    group by log_source

),

all_rows as (

    select
        cast(null as string) as log_source,
        cast(null as timestamp) as loaded_at,
        0 as raw_rows,
        0 as received_rows
    {%- for log_source, models in sources.items() %}
    {%- for model in models %}
    union all
    select
        '{{ log_source }}' as log_source,
        loaded_at,
        {{ 'count(*)' if loop.first else '0' }} as raw_rows,
        {{ '0' if loop.first else 'count(*)' }} as received_rows
    from {{ ref('pullstats', model) }}
    where
        {{ tested('event_date') }}
        and {{ tested('loaded_at', as_time=true) }}
    group by loaded_at
    {%- endfor %}
    {%- endfor %}

)

select
    all_rows.log_source,
    all_rows.loaded_at,
    sum(all_rows.raw_rows) as rows_of_raw,
    sum(all_rows.received_rows) as rows_received
from all_rows
inner join read_through on all_rows.log_source = read_through.log_source
where all_rows.loaded_at <= read_through.settled_at
group by all_rows.log_source, all_rows.loaded_at
having sum(all_rows.raw_rows) != sum(all_rows.received_rows)
