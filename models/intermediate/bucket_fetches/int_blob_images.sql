{{ config(materialized='view') }}
with

read_images as (

    select distinct
        bucket_name,
        digest,
        image
    from {{ ref('pullstats', 'int_blob_votes_monthly') }}
    where
        burst_count > 0
        and bucket_name is not null
        and image is not null

),

-- a registry that is not Google's has the bucket to which its referers lead
hosts as (

    select
        images.registry_host,
        {{ sole_value('read_images.bucket_name') }} as bucket_name
    from read_images
    inner join {{ ref('pullstats', 'int_images') }} as images on read_images.image = images.image
    group by images.registry_host

),

with_blob_kind as (

    select
        *,
        {{ inventory_blob_kind('blob_role', 'media_type') }} as blob_kind
    from {{ ref('pullstats', 'stg_registry_inventory__manifest_blobs') }}

),

-- signatures and attestations look like images except for the type of their layers
classified as (

    select
        *,
        max(case when blob_kind = 'artifact' then 1 else 0 end) over (
            partition by image, manifest_digest
        ) = 1 as belongs_to_artifact
    from with_blob_kind

),

unioned as (

    select
        *,
        true as is_named_by_referer,
        cast(null as string) as inventory_blob_kind,
        cast(null as int64) as inventory_size_bytes
    from read_images
    union all
    select
        coalesce(
            {{ registry_bucket('images.registry_host', 'images.project_id') }},
            hosts.bucket_name
        ) as bucket_name,
        classified.digest,
        classified.image,
        false as is_named_by_referer,
        case
            when classified.belongs_to_artifact then 'artifact' else classified.blob_kind
        end as inventory_blob_kind,
        classified.size_bytes as inventory_size_bytes
    from classified
    inner join {{ ref('pullstats', 'int_images') }} as images on classified.image = images.image
    left join hosts on images.registry_host = hosts.registry_host

)

-- a blob used by an image counts as its layer or config even if an artifact uses it too:
-- max relies on 'artifact' < 'config' < 'layer'
select
    bucket_name,
    digest,
    image,
    max(case when is_named_by_referer then 1 else 0 end) = 1 as is_named_by_referer,
    max(inventory_blob_kind) as inventory_blob_kind,
    max(inventory_size_bytes) as inventory_size_bytes
from unioned
group by bucket_name, digest, image
