with

newest_hours as (

    select
        log_source,
        max(log_hour) as newest_hour,
        max(max(log_hour)) over () as newest_hour_of_all
    from {{ ref('pullstats', 'fct_log_hours') }}
    -- a record can have a time in the future
    where coalesce(log_hour <= last_loaded_at, true)
    group by log_source

)

-- the hour is over when the next one begins; a source two days behind the newest has ended
select
    cast({{ dbt.dateadd(
        'day', -1, 'cast(' ~ dbt.dateadd('hour', 1, 'min(newest_hour)') ~ ' as date)'
    ) }} as date) as newest_complete_date
from newest_hours
where newest_hour >= cast({{ dbt.dateadd('hour', -48, 'newest_hour_of_all') }} as timestamp)
