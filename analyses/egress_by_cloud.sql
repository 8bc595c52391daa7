-- How much of the egress goes to which cloud, and to your own region? Set the variables `cloud` and
-- `cloud_region` for the latter.
with

egress as (

    select
        coalesce(client_cloud, 'elsewhere') as client_cloud,
        client_cloud_region,
        sum(served_bytes) as served_bytes,
        {{ count_if('is_complete') }} as pulls,
        count(distinct client_id) as clients
    from {{ ref('fct_image_pulls') }}
    group by 1, client_cloud_region

),

totals as (

    select sum(served_bytes) as served_bytes from egress

)

select
    egress.client_cloud,
    egress.client_cloud_region,
    coalesce(
        egress.client_cloud = '{{ var("cloud", "") }}'
        and egress.client_cloud_region = '{{ var("cloud_region", "") }}', false
    ) as is_own_region,
    cast(egress.served_bytes as int64) as served_bytes,
    {{ integer_divide('egress.served_bytes * 100', 'totals.served_bytes') }} as percent_of_bytes,
    egress.pulls,
    egress.clients
from egress
cross join totals
order by served_bytes desc
