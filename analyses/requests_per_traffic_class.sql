select
    traffic_class,
    operation,
    status_class,
    sum(requests) as requests,
    sum(response_bytes) as response_bytes
from {{ ref('pullstats', 'fct_registry_requests_daily') }}
group by traffic_class, operation, status_class
order by response_bytes desc
