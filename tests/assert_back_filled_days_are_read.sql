{{ config(severity='warn') }}
-- Finds days of audit logs that landed as objects and that no run has read. Beside a BigQuery
-- sink a run looks back `audit_sink_max_lag_days`: docs/runbook.md shows how to restate more.
with

objects as (

    select
        cast(log_hour as date) as log_date,
        loaded_at,
        -- on BigQuery an object is in the ledger some seconds after its rows can be read
        cast({{ dbt.dateadd('minute', -1, 'loaded_at') }} as timestamp) as landed_at
    from {{ optional_source('loader', 'loaded_objects') }}
    where
        kind = 'audit'
        and coalesce(row_count, 1) > 0
        and {{ tested('loaded_at', as_time=true) }}

),

runs as (

    select
        restated_date,
        loaded_after,
        started_at
    from {{ ref('pullstats', 'int_build_days') }}
    where
        log_source = 'cloud_audit'
        and (finished_at is not null or run_id = '{{ run_id() }}')

),

last_runs as (

    select
        restated_date,
        max(started_at) as started_at
    from runs
    where restated_date is not null
    group by restated_date

),

last_full_run as (

    select max(started_at) as started_at from runs
    where loaded_after = timestamp '1970-01-01'

)

select
    objects.log_date,
    count(*) as object_count,
    max(objects.loaded_at) as last_loaded_at
from objects
left join last_runs on objects.log_date = last_runs.restated_date
cross join last_full_run
where
    coalesce(last_runs.started_at < objects.landed_at, true)
    and coalesce(last_full_run.started_at < objects.landed_at, true)
group by objects.log_date
