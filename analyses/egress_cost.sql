select
    client_cloud,
    client_cloud_region,
    client_network,
    client_id,
    {{ sum_of('served_bytes') }} as served_bytes,
    {{ integer_divide(sum_of('egress_cost_nanos') ~ ' + 500', 1000) }} as egress_cost_micros
from {{ ref('pullstats', 'fct_image_pulls') }}
where {{ parameter('image') }} is null or image = {{ parameter('image') }}
group by client_cloud, client_cloud_region, client_network, client_id
order by egress_cost_micros desc, served_bytes desc
