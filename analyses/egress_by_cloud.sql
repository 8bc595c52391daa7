with

egress as (

    select
        client_cloud,
        client_cloud_region,
        sum(served_bytes) as served_bytes,
        {{ count_if('is_complete') }} as pulls,
        count(distinct client_id) as clients
    from {{ ref('pullstats', 'fct_image_pulls') }}
    group by client_cloud, client_cloud_region

),

totals as (

    select nullif(sum(served_bytes), 0) as all_bytes from egress

)

select
    coalesce(egress.client_cloud, 'elsewhere') as client_cloud,
    egress.client_cloud_region,
    coalesce(
        egress.client_cloud = {{ parameter('cloud') }}
        and egress.client_cloud_region = {{ parameter('cloud_region') }}, false
    ) as is_own_region,
    egress.served_bytes,
    {{ integer_divide('egress.served_bytes * 100', 'totals.all_bytes') }} as percent_of_bytes,
    egress.pulls,
    egress.clients
from egress
cross join totals
order by egress.served_bytes desc
