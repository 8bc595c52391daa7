{{ config(
    materialized='incremental',
    unique_key='pull_date',
    partition_by=by_day('pull_date'),
    cluster_by=['image', 'traffic_class'],
    meta={'restates': {
        'gcs_usage': [-1, 2],
        'cloud_audit': [-2, 10],
        'blobs': [0, 1],
        'manifests': [0, 1],
    }},
) }}
{%- set restated = restated_days('int_changed_days') %}
with

image_pulls as (

    select * from {{ ref('pullstats', 'int_image_fetches') }}
    where
        fetch_kind = 'pull'
        and {{ is_restated('session_date', restated, before=1) }}
        and {{ is_restated('fetch_date', restated) }}

),

images as (

    select * from {{ ref('pullstats', 'int_images') }}

),

networks as (

    select * from {{ ref('pullstats', 'int_networks') }}

),

-- a config is of one platform; that of an attestation is of none
platforms as (

    select
        config_digest,
        {{ sole_value('platform') }} as platform
    from {{ ref('pullstats', 'stg_registry_inventory__manifests') }}
    where platform != 'unknown/unknown'
    group by config_digest

),

prices as (

    select * from {{ ref('pullstats', 'egress_prices') }}
    where {{ 'true' if var('price_egress') else 'false' }}

),

-- the price of a region goes before that of its cloud, which goes before the price of all else
destination_prices as (

    select
        destinations.client_cloud,
        destinations.client_cloud_region,
        prices.price_micros_per_gib
    from (
        select
            client_cloud,
            client_cloud_region
        from networks
        union distinct
        select
            cast(null as string) as client_cloud,
            cast(null as string) as client_cloud_region
    ) as destinations
    inner join prices
        on
            (prices.client_cloud is null or destinations.client_cloud = prices.client_cloud)
            and (
                prices.client_cloud_region is null
                or destinations.client_cloud_region = prices.client_cloud_region
            )
    qualify row_number() over (
        partition by destinations.client_cloud, destinations.client_cloud_region
        order by
            case when prices.client_cloud_region is null then 1 else 0 end,
            case when prices.client_cloud is null then 1 else 0 end
    ) = 1

)

select
    image_pulls.fetch_id as pull_id,
    image_pulls.log_source,
    image_pulls.resource_name,
    image_pulls.image_id,
    image_pulls.image_id_source,
    images.registry_host,
    images.project_id,
    images.image_name,
    image_pulls.image,
    image_pulls.tag,
    image_pulls.index_digest,
    image_pulls.manifest_digest,
    platforms.platform,
    image_pulls.client_id,
    image_pulls.client_network,
    networks.client_cloud,
    networks.client_cloud_region,
    networks.client_asn,
    networks.client_as_organization,
    networks.client_country,
    image_pulls.client_tool,
    image_pulls.client_version,
    {{ version_part('image_pulls.client_version', 1) }} as client_version_major,
    {{ version_part('image_pulls.client_version', 2) }} as client_version_minor,
    image_pulls.traffic_class,
    image_pulls.principal_id,
    image_pulls.principal_kind,
    image_pulls.attribution,
    image_pulls.count_confidence,
    image_pulls.blob_count as blobs,
    image_pulls.request_count as requests,
    image_pulls.served_bytes,
    {{ price_nanos('image_pulls.served_bytes', 'destination_prices.price_micros_per_gib') }}
        as egress_cost_nanos,
    {{ integer_divide('image_pulls.ended_micros - image_pulls.started_micros', 1000) }}
        as duration_millis,
    image_pulls.is_complete,
    image_pulls.fetch_date as pull_date,
    {{ micros_to_timestamp('image_pulls.started_micros') }} as started_at,
    {{ micros_to_timestamp('image_pulls.ended_micros') }} as ended_at
from image_pulls
left join images on image_pulls.image = images.image
left join networks on image_pulls.client_network = networks.client_network
left join platforms on image_pulls.image_id = platforms.config_digest
left join destination_prices
    on
        coalesce(networks.client_cloud, '') = coalesce(destination_prices.client_cloud, '')
        and coalesce(networks.client_cloud_region, '')
        = coalesce(destination_prices.client_cloud_region, '')
