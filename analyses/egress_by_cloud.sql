-- How much of the egress goes to which cloud, and to your own region? Set the variables `cloud` and
-- `cloud_region` for the latter.
with

image_pulls as (

    select * from {{ ref('fct_image_pulls') }}

),

totals as (

    select sum(served_bytes) as all_bytes from image_pulls

)

select
    coalesce(image_pulls.client_cloud, 'elsewhere') as client_cloud,
    image_pulls.client_cloud_region,
    coalesce(
        image_pulls.client_cloud = '{{ var("cloud", "") }}'
        and image_pulls.client_cloud_region = '{{ var("cloud_region", "") }}', false
    ) as is_own_region,
    sum(image_pulls.served_bytes) as served_bytes,
    {{ integer_divide(
        'sum(image_pulls.served_bytes) * 100', 'max(totals.all_bytes)'
    ) }} as percent_of_bytes,
    {{ count_if('image_pulls.is_complete') }} as pulls,
    count(distinct image_pulls.client_id) as clients
from image_pulls
cross join totals
group by client_cloud, image_pulls.client_cloud_region, is_own_region
order by served_bytes desc
