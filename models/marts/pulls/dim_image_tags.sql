with

newest_inventories as (

    select inventory_id
    from {{ ref('stg_registry_inventory__inventories') }}
    where completed_at is not null
    qualify row_number() over (
        partition by inventory_target
        order by listed_at desc, inventory_id desc
    ) = 1

),

-- targets may overlap: of a repository the newest list counts
manifests as (

    select * from {{ ref('stg_registry_inventory__manifests') }}
    where inventory_id in (select newest.inventory_id from newest_inventories as newest)
    qualify rank() over (
        partition by image
        order by listed_at desc, inventory_id desc
    ) = 1

),

sizes as (

    select
        image,
        manifest_digest,
        {{ sum_of('size_bytes') }} as size_bytes
    from {{ ref('stg_registry_inventory__manifest_blobs') }}
    group by image, manifest_digest

),

tagged as (

    select
        tags.image,
        tags.tag,
        coalesce(platform_manifests.manifest_digest, tags.manifest_digest) as manifest_digest,
        coalesce(platform_manifests.config_digest, tags.config_digest) as config_digest,
        coalesce(platform_manifests.platform, tags.platform) as platform,
        tags.listed_at
    from manifests as tags
    left join manifests as platform_manifests
        on
            tags.image = platform_manifests.image
            and tags.manifest_digest = platform_manifests.index_digest
    where tags.tag is not null

),

pulled as (

    select
        image,
        image_id,
        count(*) as pulls,
        max(started_at) as last_pulled_at
    from {{ ref('fct_image_pulls') }}
    where is_complete
    group by image, image_id

)

-- an index lists an attestation as an image of the platform unknown/unknown
select distinct
    tagged.image,
    images.registry_host,
    images.project_id,
    images.image_name,
    tagged.tag,
    tagged.platform,
    tagged.manifest_digest,
    tagged.config_digest as image_id,
    sizes.size_bytes as image_bytes,
    coalesce(pulled.pulls, 0) as pulls,
    tagged.listed_at,
    pulled.last_pulled_at
from tagged
left join {{ ref('int_images') }} as images on tagged.image = images.image
left join sizes
    on
        tagged.image = sizes.image
        and tagged.manifest_digest = sizes.manifest_digest
left join pulled
    on
        tagged.image = pulled.image
        and tagged.config_digest = pulled.image_id
where coalesce(tagged.platform, '') != 'unknown/unknown'
