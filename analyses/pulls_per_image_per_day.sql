select
    pull_date,
    image,
    sum(pulls) as pulls,
    sum(end_user_pulls) as end_user_pulls
from {{ ref('pullstats', 'fct_image_pulls_daily') }}
where image is not null
group by pull_date, image
order by pull_date asc, pulls desc
