-- What arrived, day by day: twice, late, rejected, or not at all.
select
    log_source,
    {{ sum_of('received_rows') }} as received_rows,
    {{ sum_of('redelivered_rows') }} as redelivered_rows,
    {{ sum_of('late_rows') }} as late_rows,
    {{ sum_of('rejected_lines') }} as rejected_lines,
    {{ sum_of('missing_hours_before') }} as missing_hours,
    cast(log_hour as date) as log_date,
    min(log_hour) as oldest_hour,
    max(log_hour) as newest_hour,
    max(last_loaded_at) as last_loaded_at
from {{ ref('pullstats', 'fct_log_hours') }}
group by log_source, log_date
