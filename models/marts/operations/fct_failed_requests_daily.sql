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

    select
        *,
        coalesce(client_version, '') as version_or_none
    from {{ ref('pullstats', 'int_registry_requests') }}
    where
        status_code >= 400
        and {{ is_restated('event_date', restated) }}

),

-- a client can request any name with any user agent, so the number of names in a day is limited
images as (

    select
        log_source,
        event_date,
        image
    from requests
    where image is not null
    group by log_source, event_date, image
    qualify row_number() over (
        partition by log_source, event_date order by count(*) desc, image asc
    ) <= {{ var('max_names_a_day') }}

),

programs as (

    select
        log_source,
        event_date,
        client_tool,
        version_or_none
    from requests
    group by log_source, event_date, client_tool, version_or_none
    qualify row_number() over (
        partition by log_source, event_date
        order by count(*) desc, client_tool asc, version_or_none asc
    ) <= {{ var('max_names_a_day') }}

),

known_tools as (

    select tool from {{ ref('pullstats', 'user_agents') }}
    union distinct
    select 'none' as tool

),

named as (

    select
        requests.log_source,
        requests.resource_name,
        requests.operation,
        requests.object_kind,
        requests.package_format,
        images.image,
        requests.client_network,
        coalesce(programs.client_tool, known_tools.tool, 'other') as client_tool,
        nullif(programs.version_or_none, '') as client_version,
        requests.traffic_class,
        requests.principal_kind,
        requests.client_id,
        requests.status_code,
        requests.event_date as request_date
    from requests
    left join images
        on
            requests.log_source = images.log_source
            and requests.event_date = images.event_date
            and requests.image = images.image
    left join programs
        on
            requests.log_source = programs.log_source
            and requests.event_date = programs.event_date
            and requests.client_tool = programs.client_tool
            and requests.version_or_none = programs.version_or_none
    left join known_tools on requests.client_tool = known_tools.tool

),

counted as (

    select
        log_source,
        resource_name,
        operation,
        object_kind,
        package_format,
        image,
        client_network,
        client_tool,
        client_version,
        traffic_class,
        principal_kind,
        status_code,
        count(*) as failed_requests,
        count(distinct client_id) as clients,
        request_date
    from named
    group by
        log_source, resource_name, operation, object_kind, package_format, image, client_network,
        client_tool, client_version, traffic_class, principal_kind, status_code, request_date

)

select
    log_source,
    resource_name,
    operation,
    object_kind,
    package_format,
    {{ image_host('image') }} as registry_host,
    {{ image_project('image') }} as project_id,
    {{ image_name('image') }} as image_name,
    image,
    client_network,
    client_tool,
    client_version,
    traffic_class,
    principal_kind,
    {{ failure_reason('status_code') }} as failure_reason,
    status_code,
    failed_requests,
    clients,
    request_date
from counted
