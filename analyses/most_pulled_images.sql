select
    image,
    pulls,
    end_user_pulls,
    clients,
    served_bytes,
    last_pulled_at
from {{ ref('pullstats', 'dim_images') }}
order by pulls desc, image asc
