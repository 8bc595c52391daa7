select
    pulls.*,
    periods.shown_source,
    periods.period,
    periods.period_start
from {{ ref('pullstats', 'fct_image_pulls') }} as pulls
inner join {{ ref('pullstats', 'rpt_periods') }} as periods
    on pulls.log_source = periods.log_source and pulls.pull_date = periods.pull_date
where periods.is_selectable
