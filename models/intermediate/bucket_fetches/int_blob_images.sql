{{ config(enabled='gcs_usage' in logs(), materialized='view') }}
with

reads as (

    select
        bucket_name,
        digest,
        image,
        min(least_network) as least_network,
        max(greatest_network) as greatest_network,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(max(max_complete_response_bytes)) over (partition by bucket_name, digest)
            as size_bytes
    from {{ ref('pullstats', 'int_blob_votes_monthly') }}
    where bucket_name is not null
    group by bucket_name, digest, image

),

-- a client can write any name into a referer: one network must have read the whole blob
names as (

    select
        *,
        coalesce(least_network != greatest_network, false) as is_of_several_networks
    from reads
    where
        image is not null
        and (least_network != greatest_network or served_bytes >= size_bytes)

),

supported_images as (

    select image from names
    group by image
    having min(least_network) != max(greatest_network)
    union distinct
    select image from {{ ref('pullstats', 'int_object_writes') }}
    where image is not null
    union distinct
    select image from {{ ref('pullstats', 'stg_registry_inventory__manifests') }}

),

named as (

    select
        names.bucket_name,
        names.digest,
        names.image,
        true as is_named_by_referer,
        case
            when names.is_of_several_networks then 1
            when supported_images.image is not null then 2
            else 3
        end as support_rank
    from names
    left join supported_images on names.image = supported_images.image
    qualify rank() over (partition by names.bucket_name, names.digest order by support_rank) = 1

),

-- a registry that is not Google's has the bucket to which its referers lead
hosts as (

    select
        images.registry_host,
        named.bucket_name
    from named
    inner join {{ ref('pullstats', 'int_images') }} as images on named.image = images.image
    group by images.registry_host, named.bucket_name
    qualify row_number() over (
        partition by images.registry_host
        order by min(named.support_rank), count(*) desc, named.bucket_name
    ) = 1

),

with_blob_kind as (

    select
        *,
        {{ inventory_blob_kind('blob_role', 'media_type') }} as blob_kind
    from {{ ref('pullstats', 'stg_registry_inventory__manifest_blobs') }}

),

-- signatures and attestations look like images except for the type of their layers
artifacts as (

    select distinct
        image,
        manifest_digest
    from with_blob_kind
    where blob_kind = 'artifact'

),

listed_blobs as (

    select
        coalesce(
            {{ registry_bucket('images.registry_host', 'images.project_id') }},
            hosts.bucket_name
        ) as bucket_name,
        with_blob_kind.digest,
        with_blob_kind.image,
        case
            when artifacts.image is not null then 'artifact' else with_blob_kind.blob_kind
        end as inventory_blob_kind,
        with_blob_kind.size_bytes as inventory_size_bytes
    from with_blob_kind
    inner join {{ ref('pullstats', 'int_images') }} as images using (image)
    left join artifacts using (image, manifest_digest)
    left join hosts on images.registry_host = hosts.registry_host

),

-- a blob used by an image counts as its layer or config even if an artifact uses it too:
-- max relies on 'artifact' < 'config' < 'layer'
listed as (

    select
        bucket_name,
        digest,
        image,
        max(inventory_blob_kind) as inventory_blob_kind,
        max(inventory_size_bytes) as inventory_size_bytes,
        true as is_listed
    from listed_blobs
    group by bucket_name, digest, image

),

joined as (

    select
        bucket_name,
        digest,
        image,
        listed.inventory_blob_kind,
        listed.inventory_size_bytes,
        coalesce(named.is_named_by_referer, false) as is_named_by_referer,
        coalesce(listed.is_listed, false) as is_listed
    from named
    full outer join listed using (bucket_name, digest, image)

)

-- an inventory goes before referers
select * from joined
qualify rank() over (partition by bucket_name, digest order by is_listed desc) = 1
