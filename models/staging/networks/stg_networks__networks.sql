with

source as (

    select * from {{ optional_source('networks', 'networks') }}

),

renamed as (

    select
        list_name,
        network,
        cloud as client_cloud,
        cloud_region as client_cloud_region,
        as_organization as client_as_organization,
        country as client_country,
        ip_version,
        first_block,
        block_count,
        asn as client_asn,
        loaded_at

    from source

)

select * from renamed
