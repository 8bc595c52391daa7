-- Which images were not pulled for 30 days before the newest log? Set the variable `unused_days`.
with

newest as (

    select max(traffic_date) as newest_date from {{ ref('fct_registry_requests_daily') }}

)

select
    dim_images.image,
    dim_images.last_pulled_at,
    dim_images.pulls,
    dim_images.image_ids
from {{ ref('dim_images') }} as dim_images
cross join newest
where
    dim_images.last_pulled_at is null
    or cast(dim_images.last_pulled_at as date)
    <= cast({{ dbt.dateadd('day', -var('unused_days', 30), 'newest.newest_date') }} as date)
order by dim_images.last_pulled_at
