with

source as (

    select * from {{ optional_source('registry_inventory', 'manifests') }}
    -- the row in inventories lands last: without it, the inventory has not landed completely
    where
        inventory_id in (
            select landed.inventory_id
            from {{ optional_source('registry_inventory', 'inventories') }} as landed
        )

),

renamed as (

    select
        inventory_id,
        registry_host || '/' || repository as image,
        tag,
        manifest_digest,
        index_digest,
        config_digest,
        media_type,
        artifact_type,
        config_media_type,
        platform,
        layer_count,
        {{ valid_number('config_bytes', 2 ** 50) }} as config_bytes,
        {{ valid_number('manifest_bytes', 2 ** 50) }} as manifest_bytes,
        listed_at

    from source

)

select * from renamed
