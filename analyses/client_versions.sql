select
    client_tool,
    client_version,
    {{ count_if('is_complete') }} as pulls,
    count(distinct client_id) as clients,
    max(started_at) as last_pulled_at
from {{ ref('pullstats', 'fct_image_pulls') }}
group by client_tool, client_version
order by pulls desc
