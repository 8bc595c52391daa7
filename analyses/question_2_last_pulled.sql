-- Which images has nobody pulled for long? The longest unused first.
select
    image,
    last_pulled_at,
    pulls,
    builds
from {{ ref('dim_images') }}
order by last_pulled_at
