select
    image,
    client_tool,
    traffic_class,
    sum(checks) as checks,
    sum(pulls) as pulls
from {{ ref('pullstats', 'fct_image_pulls_daily') }}
where log_source = 'cloud_audit'
group by image, client_tool, traffic_class
order by checks desc
