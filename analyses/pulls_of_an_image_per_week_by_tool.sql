select
    {{ week_of('pull_date') }} as pull_week,
    image,
    client_tool,
    sum(pulls) as pulls,
    sum(end_user_pulls) as end_user_pulls,
    sum(served_bytes) as served_bytes
from {{ ref('pullstats', 'fct_image_pulls_daily') }}
where {{ parameter('image') }} is null or image = {{ parameter('image') }}
group by pull_week, image, client_tool
order by pull_week asc, pulls desc
