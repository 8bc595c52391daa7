select
    image,
    client_tool,
    client_version,
    {{ count_if('not is_complete') }} as incomplete_pulls,
    count(*) as attempts,
    max(case when not is_complete then started_at end) as last_incomplete_at
from {{ ref('pullstats', 'fct_image_pulls') }}
group by image, client_tool, client_version
having {{ count_if('not is_complete') }} > 0
order by incomplete_pulls desc
