with

source as (

    select * from {{ optional_source('registry_inventory', 'inventories') }}

),

renamed as (

    select
        inventory_id,
        target as inventory_target,
        repositories as repository_count,
        manifests as manifest_count,
        errors as error_count,
        listed_at,
        completed_at

    from source

)

select * from renamed
