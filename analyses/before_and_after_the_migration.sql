select
    {{ week_of('pull_date') }} as pull_week,
    image_name,
    log_source,
    registry_host,
    sum(pulls) as pulls,
    sum(served_bytes) as served_bytes
from {{ ref('pullstats', 'fct_image_pulls_daily') }}
group by pull_week, image_name, log_source, registry_host
order by image_name asc, pull_week asc, pulls desc
