select
    image,
    client_network,
    sum(served_bytes) as served_bytes,
    {{ count_if('is_complete') }} as pulls,
    count(distinct client_id) as clients
from {{ ref('pullstats', 'fct_image_pulls') }}
group by image, client_network
order by served_bytes desc
