select
    image,
    unused_days,
    last_pulled_at,
    last_requested_at,
    last_pushed_at,
    pulls,
    builds
from {{ ref('pullstats', 'dim_images') }}
where unused_days >= {{ parameter('unused_days') }}
order by unused_days desc, image asc
