-- Up to which day all logs have arrived.
select newest_complete_date from {{ ref('pullstats', 'rpt_newest_complete_date') }}
