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
        {{ sum_of('pulls') }} as pulls,
        max(last_pulled_at) as last_pulled_at
    from {{ ref('fct_image_builds_monthly') }}
    where pulls > 0
    group by image, image_id

),

-- an index lists an attestation as an image of the platform unknown/unknown
listed as (

    select distinct
        image,
        tag,
        platform,
        manifest_digest,
        config_digest,
        listed_at
    from tagged
    where coalesce(platform, '') != 'unknown/unknown'

),

-- what the inventory doesn't list, clients may have asked for or pushed
known as (

    select
        coalesce(listed.image, requests.image) as image,
        coalesce(listed.tag, requests.tag) as tag,
        listed.platform,
        coalesce(listed.manifest_digest, requests.current_digest) as manifest_digest,
        listed.config_digest as image_id,
        requests.pulls as tag_pulls,
        requests.checks,
        listed.listed_at,
        {{ micros_to_timestamp('requests.last_pushed_micros') }} as last_pushed_at,
        {{ micros_to_timestamp('requests.last_requested_micros') }} as last_requested_at
    from listed
    full outer join {{ ref('int_image_tag_requests') }} as requests
        on
            listed.image = requests.image
            and listed.tag = requests.tag

)

select
    known.image,
    images.registry_host,
    images.project_id,
    images.image_name,
    known.tag,
    known.platform,
    known.manifest_digest,
    known.image_id,
    sizes.size_bytes as image_bytes,
    case when known.listed_at is not null then coalesce(pulled.pulls, 0) end as pulls,
    known.tag_pulls,
    known.checks,
    known.listed_at,
    known.last_pushed_at,
    pulled.last_pulled_at,
    known.last_requested_at
from known
left join {{ ref('int_images') }} as images on known.image = images.image
left join sizes
    on
        known.image = sizes.image
        and known.manifest_digest = sizes.manifest_digest
left join pulled
    on
        known.image = pulled.image
        and known.image_id = pulled.image_id
