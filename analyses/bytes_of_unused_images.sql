{{ config(enabled='gcs_usage' in logs()) }}
select
    images.image,
    images.unused_days,
    images.last_requested_at,
    count(blobs.digest) as blobs,
    sum(blobs.size_bytes) as freed_bytes
from {{ ref('pullstats', 'dim_images') }} as images
left join {{ ref('pullstats', 'dim_blobs') }} as blobs
    on
        images.image = blobs.image
        and blobs.images = 1
where images.unused_days >= {{ parameter('unused_days') }}
group by images.image, images.unused_days, images.last_requested_at
order by freed_bytes desc, images.image asc
