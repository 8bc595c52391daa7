-- Up to which day all logs have arrived.
select newest_complete_date from {{ ref('rpt_newest_complete_date') }}
