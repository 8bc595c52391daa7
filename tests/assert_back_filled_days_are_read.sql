{{ config(severity='warn') }}
-- Days of an audit log that objects brought and that no build has read since. Beside a BigQuery
-- sink a build looks back `audit_sink_max_lag_days`: docs/runbook.md tells how to restate more.
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

builds as (

    select
        restated_date,
        is_full,
        recorded_at
    from {{ build_log() }}
    where model_name = '{{ ref('pullstats', 'int_artifact_registry_request_records').identifier }}'

),

last_builds as (

    select
        restated_date,
        max(recorded_at) as recorded_at
    from builds
    where restated_date is not null
    group by restated_date

),

last_full_build as (

    select max(case when is_full then recorded_at end) as recorded_at from builds

)

select
    objects.log_date,
    count(*) as object_count,
    max(objects.loaded_at) as last_loaded_at
from objects
left join last_builds on objects.log_date = last_builds.restated_date
cross join last_full_build
where
    coalesce(last_builds.recorded_at < objects.landed_at, true)
    and coalesce(last_full_build.recorded_at < objects.landed_at, true)
group by objects.log_date
