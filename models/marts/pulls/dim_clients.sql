{{ config(
    materialized='incremental',
    incremental_strategy=update_strategy(),
    unique_key='client_id',
    meta={'restates': {'gcs_usage': [0, 0], 'cloud_audit': [0, 0]}},
) }}
{%- set restated = restated_days() %}
with

requests as (

    select * from {{ ref('pullstats', 'int_registry_requests') }}
    where
        package_format = 'docker'
        and coalesce(status_code, 0) < 400
        and {{ is_restated('event_date', restated) }}

),

seen as (

    select
        client_id,
        any_value(client_network) as client_network,
        any_value(client_tool) as client_tool,
        any_value(client_version) as client_version,
        any_value(client_class) as client_class,
        {{ micros_to_timestamp('min(started_micros)') }} as first_seen_at,
        {{ micros_to_timestamp('max(started_micros)') }} as last_seen_at
    from requests
    group by client_id

),

networks as (

    select * from {{ ref('pullstats', 'int_networks') }}

)

select
    seen.client_id,
    seen.client_network,
    networks.client_cloud,
    networks.client_cloud_region,
    networks.client_asn,
    networks.client_as_organization,
    networks.client_country,
    seen.client_tool,
    seen.client_version,
    {{ version_part('seen.client_version', 1) }} as client_version_major,
    {{ version_part('seen.client_version', 2) }} as client_version_minor,
    seen.client_class,
    {% if is_incremental() -%}
    least(seen.first_seen_at, coalesce(before.first_seen_at, seen.first_seen_at))
        as first_seen_at,
    greatest(seen.last_seen_at, coalesce(before.last_seen_at, seen.last_seen_at))
        as last_seen_at
from seen
left join networks on seen.client_network = networks.client_network
left join {{ this }} as before on seen.client_id = before.client_id
{%- else -%}
    seen.first_seen_at,
    seen.last_seen_at
from seen
left join networks on seen.client_network = networks.client_network
{%- endif %}
