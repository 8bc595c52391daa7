select
    image,
    tag,
    tag_pulls,
    checks,
    last_requested_at
from {{ ref('pullstats', 'dim_image_tags') }}
where tag_pulls > 0
order by tag_pulls desc, image asc, tag asc
