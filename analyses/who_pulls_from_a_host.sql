select
    image,
    client_network,
    client_tool,
    client_version,
    {{ count_if('is_complete') }} as pulls,
    max(started_at) as last_pulled_at
from {{ ref('pullstats', 'fct_image_pulls') }}
where
    registry_host = {{ parameter('registry_host') }}
    and ({{ parameter('client_tool') }} is null or client_tool = {{ parameter('client_tool') }})
    and (
        {{ parameter('client_version') }} is null
        or starts_with(client_version || '.', {{ parameter('client_version') }} || '.')
    )
group by image, client_network, client_tool, client_version
order by pulls desc
