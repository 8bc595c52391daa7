select
    client_network,
    client_id,
    client_tool,
    {{ count_if('is_complete') }} as pulls,
    count(distinct image) as images,
    sum(served_bytes) as served_bytes
from {{ ref('pullstats', 'fct_image_pulls') }}
where {{ parameter('image') }} is null or image = {{ parameter('image') }}
group by client_network, client_id, client_tool
order by pulls desc
