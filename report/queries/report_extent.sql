-- The newest day whose logs have all arrived, and the first day of which the page has pulls by
-- day.
with

newest_pulls as (

    select max(pull_date) as newest_pull_date from {{ ref('pullstats', 'fct_image_pulls') }}

)

select
    newest.newest_complete_date,
    cast({{ dbt.dateadd(
        'day', 1 - var('report_days'), 'newest_pulls.newest_pull_date'
    ) }} as date) as first_plotted_date
from {{ ref('pullstats', 'rpt_newest_complete_date') }} as newest
cross join newest_pulls
