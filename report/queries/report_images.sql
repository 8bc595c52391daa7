-- Every image, with its last pull.
select
    image,
    registry_host,
    project_id,
    pulls,
    end_user_pulls,
    clients,
    builds,
    served_bytes,
    tags,
    first_pulled_at,
    last_pulled_at,
    last_requested_at,
    last_pushed_at,
    unused_days
from {{ ref('pullstats', 'dim_images') }}
