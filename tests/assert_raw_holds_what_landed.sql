-- Raw holds all rows that landed, because missing rows silently make numbers smaller. The rows of a
-- job count once, although each object that it loaded has their number.
with

landings as (

    select distinct
        kind,
        coalesce(job_id, concat(object_uri, ' ', cast(loaded_at as string))) as landing,
        coalesce(job_row_count, row_count) as row_count
    from {{ optional_source('loader', 'loaded_objects') }}
    where {{ tested('loaded_at', as_time=true) }}

),

landed as (

    select
        kind,
        sum(row_count) as row_count
    from landings
    group by kind

),

held as (

    -- on BigQuery, the arrival is the hour of the job, which is before the time in the ledger
    {%- for kind, source_name, table_name in [
        ('usage', 'gcs', 'usage'),
        ('storage', 'gcs', 'storage'),
        ('audit', 'artifact_registry', 'audit_logs'),
    ] %}
    select
        '{{ kind }}' as kind,
        count(*) as row_count
    from {{ optional_source(source_name, table_name) }}
    where {{ tested('_partitiontime', as_time=true, days_before=1) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    landed.kind,
    landed.row_count as landed_rows,
    held.row_count as held_rows
from landed
inner join held on landed.kind = held.kind
where held.row_count < landed.row_count
