-- All requests by day, class and operation.
select
    traffic_class,
    operation,
    {{ sum_of('requests') }} as requests,
    {{ sum_of('errors') }} as errors,
    {{ sum_of('response_bytes') }} as response_bytes,
    traffic_date
from {{ optional_mart('fct_registry_requests_daily') }}
group by traffic_class, operation, traffic_date
