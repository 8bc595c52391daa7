-- Rows of logs by day, with those that came twice or late, rejected lines, missing hours, and the
-- hours that the log covers.
with

arrived as (

    select
        log_source,
        {{ sum_of('received_rows') }} as received_rows,
        {{ sum_of('redelivered_rows') }} as redelivered_rows,
        {{ sum_of('late_rows') }} as late_rows,
        {{ sum_of('rejected_lines') }} as rejected_lines,
        {{ sum_of('missing_hours_before') }} as missing_hours,
        cast(log_hour as date) as log_date,
        max(log_hour) as newest_hour,
        max(last_loaded_at) as last_loaded_at
    from {{ ref('pullstats', 'fct_log_hours') }}
    group by log_source, log_date

)

select
    arrived.log_source,
    arrived.received_rows,
    arrived.redelivered_rows,
    arrived.late_rows,
    arrived.rejected_lines,
    arrived.missing_hours,
    log_days.first_covered_hour,
    log_days.last_covered_hour,
    arrived.log_date,
    arrived.newest_hour,
    arrived.last_loaded_at
from arrived
left join {{ ref('pullstats', 'fct_log_days') }} as log_days
    on
        arrived.log_source = log_days.log_source
        and arrived.log_date = log_days.log_date
