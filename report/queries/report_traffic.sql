-- All requests by day, class and operation.
select
    log_source,
    traffic_class,
    operation,
    {{ sum_of('requests') }} as requests,
    {{ sum_of('errors') }} as errors,
    {{ sum_of('response_bytes') }} as response_bytes,
    request_date
from {{ ref('pullstats', 'fct_registry_requests_daily') }}
group by log_source, traffic_class, operation, request_date
