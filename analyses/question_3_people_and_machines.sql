-- How much of it is people and nodes, how much CI, scanners and housekeeping?
select
    traffic_class,
    sum(pulls) as pulls,
    sum(incomplete_pulls) as incomplete_pulls,
    sum(served_bytes) as served_bytes
from {{ ref('fct_image_pulls_daily') }}
group by traffic_class
order by pulls desc
