with

source as (

    select * from {{ optional_source('registry_inventory', 'inventories') }}

),

renamed as (

    select
        inventory_id,
        target as inventory_target,
        listed_at,
        completed_at

    from source

)

select * from renamed
