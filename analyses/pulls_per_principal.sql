select
    principal_kind,
    principal_id,
    image,
    client_tool,
    {{ count_if('is_complete') }} as pulls,
    count(distinct client_id) as clients,
    max(started_at) as last_pulled_at
from {{ ref('pullstats', 'fct_image_pulls') }}
where log_source = 'cloud_audit'
group by principal_kind, principal_id, image, client_tool
order by pulls desc
