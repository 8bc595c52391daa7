select
    fetch_kind,
    count(*) as fetches
from {{ ref('pullstats', 'int_image_fetches') }}
where fetch_kind != 'pull'
group by fetch_kind
order by fetches desc, fetch_kind asc
