select
    extract(hour from started_at) as hour_of_day,
    {{ count_if('is_complete') }} as pulls,
    {{ count_if("is_complete and traffic_class = 'end_user'") }} as end_user_pulls,
    sum(served_bytes) as served_bytes
from {{ ref('pullstats', 'fct_image_pulls') }}
group by hour_of_day
order by hour_of_day
