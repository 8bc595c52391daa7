-- Nothing is dropped silently: by arrival, the rows of raw are those that the requests account for.
-- What has landed since the run read raw, or may still grow, is not compared.
with

raw_rows as (

    select
        loaded_at,
        count(*) as row_count
    from {{ ref('pullstats', 'stg_gcs__usage_logs') }}
    where
        {{ tested('event_date') }}
        and {{ tested('loaded_at', as_time=true) }}
        and {{ is_settled('loaded_at', 'gcs_usage') }}
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
        and {{ is_settled('loaded_at', 'gcs_usage') }}
    group by loaded_at

)

select
    coalesce(raw_rows.loaded_at, received.loaded_at) as loaded_at,
    raw_rows.row_count as rows_of_raw,
    received.row_count as rows_received
from raw_rows
full outer join received on raw_rows.loaded_at = received.loaded_at
where coalesce(raw_rows.row_count, 0) != coalesce(received.row_count, 0)
