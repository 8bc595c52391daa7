-- What would it free to delete images that were not pulled for 30 days? Set `unused_days`. Counts
-- blobs that no other image is known to use: complete with an inventory, else only what was read.
with

newest as (

    select max(traffic_date) as newest_date from {{ ref('fct_registry_requests_daily') }}

),

unused as (

    select
        images.image,
        images.last_pulled_at
    from {{ ref('dim_images') }} as images
    cross join newest
    where
        images.last_pulled_at is null
        or cast(images.last_pulled_at as date)
        <= cast({{ dbt.dateadd('day', -var('unused_days', 30), 'newest.newest_date') }} as date)

)

select
    unused.image,
    unused.last_pulled_at,
    count(blobs.digest) as blobs,
    sum(blobs.size_bytes) as freed_bytes
from unused
left join {{ ref('dim_blobs') }} as blobs
    on
        unused.image = blobs.image
        and blobs.image_count = 1
group by unused.image, unused.last_pulled_at
order by freed_bytes desc
