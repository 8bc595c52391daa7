{{ config(materialized='view') }}
with

newest_inventories as (

    select inventory_id
    from {{ ref('pullstats', 'stg_registry_inventory__inventories') }}
    where completed_at is not null
    qualify row_number() over (
        partition by inventory_target
        order by listed_at desc, inventory_id desc
    ) = 1

)

-- targets may overlap: of a repository the newest list counts
select * from {{ ref('pullstats', 'stg_registry_inventory__manifests') }}
where inventory_id in (select newest.inventory_id from newest_inventories as newest)
qualify rank() over (
    partition by image
    order by listed_at desc, inventory_id desc
) = 1
