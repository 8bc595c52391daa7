select
    {{ month_of('pull_date') }} as pull_month,
    image,
    sum(served_bytes) as served_bytes,
    {{ count_if('is_complete') }} as pulls,
    count(distinct client_network) as networks
from {{ ref('pullstats', 'fct_image_pulls') }}
where {{ parameter('image') }} is null or image = {{ parameter('image') }}
group by pull_month, image
order by pull_month asc, served_bytes desc
