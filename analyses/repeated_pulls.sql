with

builds as (

    select
        client_network,
        client_id,
        client_tool,
        traffic_class,
        image,
        image_id,
        {{ count_if('is_complete') }} as build_pulls,
        sum(served_bytes) as served_bytes
    from {{ ref('pullstats', 'fct_image_pulls') }}
    group by client_network, client_id, client_tool, traffic_class, image, image_id

)

select
    client_network,
    client_id,
    client_tool,
    traffic_class,
    sum(build_pulls) as pulls,
    sum(build_pulls) - count(*) as repeated_pulls,
    sum(served_bytes) as served_bytes
from builds
where build_pulls > 0
group by client_network, client_id, client_tool, traffic_class
having sum(build_pulls) > count(*)
order by repeated_pulls desc, served_bytes desc
