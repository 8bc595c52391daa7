-- Which clients pull with a tool older than a version? Set `client_tool` and `older_than`, a text.
{%- set parts = (version_var('older_than', '26') ~ '.0').split('.') %}
select
    client_network,
    client_id,
    client_tool,
    client_version,
    {{ count_if('is_complete') }} as pulls,
    max(started_at) as last_pulled_at
from {{ ref('pullstats', 'fct_image_pulls') }}
where
    client_tool = '{{ var("client_tool", "docker") }}'
    and (
        client_version_major < {{ parts[0] | int }}
        or client_version_major = {{ parts[0] | int }}
        and coalesce(client_version_minor, 0) < {{ parts[1] | int }}
    )
group by client_network, client_id, client_tool, client_version
order by last_pulled_at desc
