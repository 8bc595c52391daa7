{%- set restated = restate_by_day(
    'request_date', follows=[ref('int_registry_requests')],
    cluster_by=['image', 'status_code'],
) %}
with

requests as (

    select
        *,
        event_date as request_date
    from {{ ref('int_registry_requests') }}
    where
        status_code >= 400
        and {{ is_restated('event_date', restated) }}

)

select
    log_source,
    resource_name,
    operation,
    object_kind,
    package_format,
    image,
    traffic_class,
    client_tool,
    {{ failure_reason('status_code') }} as failure_reason,
    status_code,
    count(*) as failed_requests,
    count(distinct client_id) as clients,
    request_date
from requests
group by
    log_source, resource_name, operation, object_kind, package_format, image, traffic_class,
    client_tool, failure_reason, status_code, request_date
