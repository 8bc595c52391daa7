{{ config(
    materialized='incremental',
    unique_key='request_date',
    partition_by=by_day('request_date'),
    cluster_by=['resource_name', 'operation'],
    meta={'restates': {'gcs_usage': [0, 0], 'cloud_audit': [0, 0]}},
) }}
{%- set restated = restated_days() %}
with

requests as (

    select * from {{ ref('pullstats', 'int_registry_requests') }}
    where {{ is_restated('event_date', restated) }}

)

select
    log_source,
    resource_name,
    operation,
    object_kind,
    package_format,
    traffic_class,
    coalesce(
        cast({{ integer_divide('status_code', 100) }} as string) || 'xx', 'none'
    ) as status_class,
    count(*) as requests,
    {{ count_if('status_code >= 400') }} as errors,
    {{ sum_of('request_bytes') }} as request_bytes,
    {{ sum_of('response_bytes') }} as response_bytes,
    event_date as request_date
from requests
group by
    log_source, resource_name, operation, object_kind, package_format, traffic_class,
    status_class, request_date
