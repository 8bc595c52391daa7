{{ config(severity='warn') }}
-- Finds days with changed facts that are not among the newest `max_restated_days`. They keep the
-- facts from when they were built. To restate them, set `restate_from` and `restate_to` as in a
-- row.
with

numbered as (

    select
        log_source,
        changed_date,
        row_number() over (partition by log_source order by changed_date desc) as place
    from {{ ref('pullstats', 'int_changed_days') }}

)

select
    log_source,
    min(changed_date) as restate_from,
    max(changed_date) as restate_to,
    count(*) as day_count
from numbered
where place > {{ var('max_restated_days') }}
group by log_source
