with

source as (

    select * from {{ optional_source('registry_inventory', 'manifest_blobs') }}
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
        manifest_digest,
        digest,
        role as blob_role,
        media_type,
        position as blob_position,
        {{ valid_number('size_bytes', 2 ** 50) }} as size_bytes

    from source

)

select * from renamed
