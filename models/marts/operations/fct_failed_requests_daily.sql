{{ config(
    materialized='incremental',
    unique_key='request_date',
    partition_by=by_day('request_date'),
    cluster_by=['image', 'status_code'],
    meta={'restates': {'gcs_usage': [0, 0], 'cloud_audit': [0, 0]}},
) }}
{%- set restated = restated_days() %}
with

requests as (

    select * from {{ ref('pullstats', 'int_registry_requests') }}
    where
        status_code >= 400
        and {{ is_restated('event_date', restated) }}

),

placed as (

    select
        requests.*,
        images.registry_host,
        images.project_id,
        images.image_name,
        requests.event_date as request_date
    from requests
    left join {{ ref('pullstats', 'int_images') }} as images on requests.image = images.image

)

select
    log_source,
    resource_name,
    operation,
    object_kind,
    package_format,
    registry_host,
    project_id,
    image_name,
    image,
    client_network,
    client_tool,
    client_version,
    traffic_class,
    principal_kind,
    {{ failure_reason('status_code') }} as failure_reason,
    status_code,
    count(*) as failed_requests,
    count(distinct client_id) as clients,
    request_date
from placed
group by
    log_source, resource_name, operation, object_kind, package_format, registry_host, project_id,
    image_name, image, client_network, client_tool, client_version, traffic_class,
    principal_kind, failure_reason, status_code, request_date
