{%- set restated = restate_by_day(
    'pull_date', follows=[ref('pullstats', 'int_image_pulls')], after=1,
    cluster_by=['image', 'traffic_class'],
) %}
with

image_pulls as (

    select * from {{ ref('pullstats', 'int_image_pulls') }}
    where
        {{ is_restated('session_date', restated, before=1) }}
        and {{ is_restated('pull_date', restated) }}

),

images as (

    select * from {{ ref('pullstats', 'int_images') }}

),

networks as (

    select * from {{ ref('pullstats', 'int_networks') }}

)

select
    image_pulls.pull_id,
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
    image_pulls.blob_count,
    image_pulls.request_count,
    image_pulls.served_bytes,
    {{ integer_divide('image_pulls.ended_micros - image_pulls.started_micros', 1000) }}
        as duration_millis,
    image_pulls.is_complete,
    image_pulls.pull_date,
    {{ micros_to_timestamp('image_pulls.started_micros') }} as started_at,
    {{ micros_to_timestamp('image_pulls.ended_micros') }} as ended_at
from image_pulls
left join images on image_pulls.image = images.image
left join networks on image_pulls.client_network = networks.client_network
