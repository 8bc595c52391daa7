select
    traffic_class,
    sum(pulls) as pulls,
    {{ integer_divide('100 * sum(pulls)', 'sum(sum(pulls)) over ()') }} as percent_of_pulls,
    sum(incomplete_pulls) as incomplete_pulls,
    sum(served_bytes) as served_bytes
from {{ ref('pullstats', 'fct_image_pulls_daily') }}
group by traffic_class
order by pulls desc
