with

newest_inventories as (

    select inventory_id
    from {{ ref('stg_registry__inventories') }}
    where completed_at is not null
    qualify row_number() over (
        partition by inventory_target
        order by listed_at desc, inventory_id desc
    ) = 1

),

-- targets may overlap: of a repository the newest list counts
manifests as (

    select * from {{ ref('stg_registry__manifests') }}
    where inventory_id in (select newest.inventory_id from newest_inventories as newest)
    qualify rank() over (
        partition by registry_host, image_path
        order by listed_at desc, inventory_id desc
    ) = 1

),

sizes as (

    select
        registry_host,
        image_path,
        manifest_digest,
        {{ sum_of('size_bytes') }} as size_bytes
    from {{ ref('stg_registry__manifest_blobs') }}
    group by registry_host, image_path, manifest_digest

),

tagged as (

    select
        tags.registry_host,
        tags.image_path,
        tags.tag,
        coalesce(parts.manifest_digest, tags.manifest_digest) as manifest_digest,
        coalesce(parts.config_digest, tags.config_digest) as config_digest,
        coalesce(parts.platform, tags.platform) as platform,
        tags.listed_at
    from manifests as tags
    left join manifests as parts
        on
            tags.registry_host = parts.registry_host
            and tags.image_path = parts.image_path
            and tags.manifest_digest = parts.index_digest
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

-- an attestation stands in the index as the image of no platform
select distinct
    tagged.registry_host || '/' || tagged.image_path as image,
    tagged.registry_host,
    {{ image_project('tagged.registry_host', 'tagged.image_path') }} as project_id,
    {{ image_name('tagged.registry_host', 'tagged.image_path') }} as image_name,
    tagged.tag,
    tagged.platform,
    tagged.manifest_digest,
    tagged.config_digest as image_id,
    sizes.size_bytes as image_bytes,
    coalesce(pulled.pulls, 0) as pulls,
    tagged.listed_at,
    pulled.last_pulled_at
from tagged
left join sizes
    on
        tagged.registry_host = sizes.registry_host
        and tagged.image_path = sizes.image_path
        and tagged.manifest_digest = sizes.manifest_digest
left join pulled
    on
        tagged.registry_host || '/' || tagged.image_path = pulled.image
        and tagged.config_digest = pulled.image_id
where coalesce(tagged.platform, '') != 'unknown/unknown'
