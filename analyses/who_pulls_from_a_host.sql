-- Who still pulls from a host? Set `registry_host`, and `client_tool` and `client_version`.
select
    image,
    client_network,
    client_tool,
    client_version,
    {{ count_if('is_complete') }} as pulls,
    max(started_at) as last_pulled_at
from {{ ref('pullstats', 'fct_image_pulls') }}
where
    registry_host = '{{ var("registry_host", "eu.gcr.io") }}'
    {% if var('client_tool', none) %}
    and client_tool = '{{ var("client_tool") }}'
    {% endif %}
    {% if version_var('client_version') %}
    and client_version || '.' like '{{ version_var("client_version") }}.%'
    {% endif %}
group by image, client_network, client_tool, client_version
order by pulls desc
