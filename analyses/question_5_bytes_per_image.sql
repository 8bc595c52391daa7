-- What does each image cost in bytes per month, and to which networks do they go?
select
    {{ dbt.date_trunc('month', 'pull_date') }} as pull_month,
    image,
    client_network,
    sum(served_bytes) as served_bytes,
    count(*) as pulls
from {{ ref('fct_image_pulls') }}
group by pull_month, image, client_network
order by pull_month asc, served_bytes desc
