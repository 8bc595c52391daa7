-- For each arrival, the requests account for all rows of raw, so nothing is dropped silently.
-- Rows that landed after the run read raw, or that may still grow in number, are not compared.
with

read_through as (

    select max({{ settled_through('loaded_through', 'started_at') }}) as settled_at
    from {{ ref('pullstats', 'int_build_days') }}
    where
        log_source = 'gcs_usage'
        and (finished_at is not null or run_id = '{{ run_id() }}')

),

raw_rows as (

    select
        loaded_at,
        count(*) as row_count
    from {{ ref('pullstats', 'stg_gcs__usage_logs') }}
    where
        {{ tested('event_date') }}
        and {{ tested('loaded_at', as_time=true) }}
        and loaded_at <= (select read_through.settled_at from read_through)
    group by loaded_at

),

received as (

    select
        loaded_at,
        count(*) as row_count
    from {{ ref('pullstats', 'int_gcs_request_records') }}
    where
        {{ tested('event_date') }}
        and {{ tested('loaded_at', as_time=true) }}
        and loaded_at <= (select read_through.settled_at from read_through)
    group by loaded_at

)

select
    coalesce(raw_rows.loaded_at, received.loaded_at) as loaded_at,
    raw_rows.row_count as rows_of_raw,
    received.row_count as rows_received
from raw_rows
full outer join received on raw_rows.loaded_at = received.loaded_at
where coalesce(raw_rows.row_count, 0) != coalesce(received.row_count, 0)
