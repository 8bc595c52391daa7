select
    image,
    client_tool,
    count(*) as pushes,
    sum(written_bytes) as written_bytes,
    max(started_at) as last_pushed_at
from {{ ref('pullstats', 'fct_image_pushes') }}
group by image, client_tool
order by pushes desc
