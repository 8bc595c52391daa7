{%- set hours_between = dbt.datediff('hour_before', 'log_hour', 'hour') | trim %}
with

arrivals as (

    select * from {{ ref('pullstats', 'int_log_arrivals_hourly') }}

),

-- the newest day of all earlier arrivals: rows of an earlier day are late
newest_days as (

    select
        log_source,
        loaded_at,
        max(max(event_date)) over (
            partition by log_source
            order by loaded_at rows between unbounded preceding and 1 preceding
        ) as newest_date_before
    from arrivals
    group by log_source, loaded_at

),

received as (

    select
        arrivals.log_source,
        arrivals.log_hour,
        {{ sum_of('arrivals.received_rows') }} as received_rows,
        {{ sum_of('arrivals.redelivered_rows') }} as redelivered_rows,
        {{ sum_of('case
            when arrivals.event_date < newest_days.newest_date_before then arrivals.received_rows
            else 0
        end') }} as late_rows,
        max(arrivals.loaded_at) as last_loaded_at
    from arrivals
    inner join newest_days
        on
            arrivals.log_source = newest_days.log_source
            and arrivals.loaded_at = newest_days.loaded_at
    group by arrivals.log_source, arrivals.log_hour

),

-- ignore unreadable objects; row counts are null where one job loaded several objects
objects as (

    select
        case log_kind when 'usage' then 'gcs_usage' else 'cloud_audit' end as log_source,
        cast({{ dbt.date_trunc('hour', 'log_hour') }} as timestamp) as object_hour,
        {{ sum_of('rejected_lines') }} as rejected_lines
    from {{ ref('pullstats', 'stg_loader__loaded_objects') }}
    where
        log_kind in ('usage', 'audit')
        and (landed_rows is null or landed_rows + rejected_lines > 0)
    group by log_source, object_hour

),

hours as (

    select
        received.received_rows,
        received.redelivered_rows,
        received.late_rows,
        objects.rejected_lines,
        coalesce(received.log_source, objects.log_source) as log_source,
        coalesce(received.log_hour, objects.object_hour) as log_hour,
        received.last_loaded_at
    from received
    full outer join objects
        on
            received.log_source = objects.log_source
            and received.log_hour = objects.object_hour

),

compared as (

    select
        hours.*,
        lag(hours.log_hour) over (
            partition by hours.log_source order by hours.log_hour
        ) as hour_before
    from hours

)

select
    log_source,
    coalesce(received_rows, 0) as received_rows,
    coalesce(redelivered_rows, 0) as redelivered_rows,
    coalesce(late_rows, 0) as late_rows,
    rejected_lines,
    -- records without a time belong to the first hour of 1970
    case
        when hour_before >= {{ timestamp_literal('1970-01-02 00:00:00') }}
            then {{ hours_between }} - 1
        else 0
    end as missing_hours_before,
    log_hour,
    last_loaded_at
from compared
