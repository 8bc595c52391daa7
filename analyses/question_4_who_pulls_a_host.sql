-- Who still pulls from a host, or an image, that is to go away? Set the variable `registry_host`.
select
    image,
    client_network,
    client_tool,
    client_version,
    count(*) as pulls,
    max(started_at) as last_pulled_at
from {{ ref('fct_image_pulls') }}
where registry_host = '{{ var("registry_host", "eu.gcr.io") }}'
group by image, client_network, client_tool, client_version
order by pulls desc
