{%- set major = version_part(parameter('older_than'), 1) %}
{%- set minor = version_part(parameter('older_than'), 2) %}
select
    client_network,
    client_id,
    client_tool,
    client_version,
    {{ count_if('is_complete') }} as pulls,
    max(started_at) as last_pulled_at
from {{ ref('pullstats', 'fct_image_pulls') }}
where
    client_tool = {{ parameter('client_tool') }}
    and (
        client_version_major < {{ major }}
        or client_version_major = {{ major }}
        and coalesce(client_version_minor, 0) < coalesce({{ minor }}, 0)
    )
group by client_network, client_id, client_tool, client_version
order by last_pulled_at desc
