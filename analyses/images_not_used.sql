-- Which images did nobody pull, ask for or push for 30 days? Set the variable `unused_days`. The
-- days end with the log of the image's project, and only days that the log covers count.
select
    image,
    unused_days,
    last_pulled_at,
    last_requested_at,
    last_pushed_at,
    pulls,
    image_ids
from {{ ref('pullstats', 'dim_images') }}
where unused_days >= {{ var('unused_days', 30) }}
order by unused_days desc, image asc
