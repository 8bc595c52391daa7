-- Which clients pull with a tool older than a version? Set `client_tool` and `older_than`.
select
    client_network,
    client_id,
    client_tool,
    client_version,
    {{ count_if('is_complete') }} as pulls,
    max(started_at) as last_pulled_at
from {{ ref('fct_image_pulls') }}
where
    client_tool = '{{ var("client_tool", "docker") }}'
    and client_version is not null
    and {{ version_number('client_version') }}
    < {{ version_number("'" ~ var('older_than', '26') ~ "'") }}
group by client_network, client_id, client_tool, client_version
order by last_pulled_at desc
