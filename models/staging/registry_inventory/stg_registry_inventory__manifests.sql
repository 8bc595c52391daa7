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
        platform,
        listed_at

    from source

)

select * from renamed
