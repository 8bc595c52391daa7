with

image_pushes as (

    select * from {{ ref('pullstats', 'int_image_pushes') }}

),

images as (

    select * from {{ ref('pullstats', 'int_images') }}

)

select
    image_pushes.push_id,
    image_pushes.log_source,
    image_pushes.resource_name,
    image_pushes.image_id,
    images.registry_host,
    images.project_id,
    images.image_name,
    image_pushes.image,
    image_pushes.client_id,
    image_pushes.client_network,
    image_pushes.client_tool,
    image_pushes.client_version,
    image_pushes.traffic_class,
    image_pushes.principal_id,
    image_pushes.principal_kind,
    image_pushes.attribution,
    image_pushes.tags,
    image_pushes.manifest_digest,
    image_pushes.previous_manifest_digest,
    image_pushes.blob_count as blobs,
    image_pushes.manifest_count as manifests,
    image_pushes.written_bytes,
    cast({{ micros_to_timestamp('image_pushes.started_micros') }} as date) as push_date,
    {{ micros_to_timestamp('image_pushes.started_micros') }} as started_at,
    {{ micros_to_timestamp('image_pushes.ended_micros') }} as ended_at
from image_pushes
left join images on image_pushes.image = images.image
