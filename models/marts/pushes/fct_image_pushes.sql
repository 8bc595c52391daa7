{%- set union_all = joiner('union all') %}
with

image_pushes as (

    {%- if 'gcs_usage' in logs() %}
    {{ union_all() }}
    select
        push_id,
        'gcs_usage' as log_source,
        bucket_name as resource_name,
        image,
        image_id,
        client_id,
        client_network,
        client_tool,
        client_version,
        traffic_class,
        cast(null as string) as principal_id,
        cast(null as string) as principal_kind,
        attribution,
        tags,
        cast(null as string) as manifest_digest,
        cast(null as string) as previous_manifest_digest,
        blob_count,
        manifest_count,
        written_bytes,
        started_micros,
        ended_micros
    from {{ ref('pullstats', 'int_gcs_image_pushes') }}
    {%- endif %}
    {%- if 'cloud_audit' in logs() %}
    {{ union_all() }}
    select
        push_id,
        'cloud_audit' as log_source,
        resource_name,
        image,
        cast(null as string) as image_id,
        client_id,
        client_network,
        client_tool,
        client_version,
        traffic_class,
        principal_id,
        principal_kind,
        'path' as attribution,
        tag as tags,
        manifest_digest,
        previous_manifest_digest,
        cast(null as int64) as blob_count,
        manifest_count,
        cast(null as int64) as written_bytes,
        started_micros,
        ended_micros
    from {{ ref('pullstats', 'int_artifact_registry_image_pushes') }}
    {%- endif %}

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
