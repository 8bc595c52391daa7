select
    {{ month_of('pull_date') }} as pull_month,
    image,
    count(distinct client_id) as clients,
    count(distinct case when traffic_class = 'end_user' then client_id end) as end_user_clients
from {{ ref('pullstats', 'fct_image_pulls') }}
group by pull_month, image
order by pull_month asc, clients desc
