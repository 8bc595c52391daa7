select
    client_network,
    client_tool,
    client_version,
    principal_kind,
    image,
    failure_reason,
    status_code,
    sum(failed_requests) as failed_requests,
    min(request_date) as first_failed_date,
    max(request_date) as last_failed_date
from {{ ref('pullstats', 'fct_failed_requests_daily') }}
where
    operation = 'read'
    and package_format = 'docker'
    and (
        {{ parameter('since') }} is null
        or request_date >= cast({{ parameter('since') }} as date)
    )
group by
    client_network, client_tool, client_version, principal_kind, image, failure_reason, status_code
order by failed_requests desc
