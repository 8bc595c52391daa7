-- Who pulls each image, with what: networks, tools and versions.
select
    image,
    client_network,
    client_tool,
    client_tool || coalesce(' ' || client_version, '') as client_program,
    traffic_class,
    {{ count_if('is_complete') }} as pulls,
    count(distinct client_id) as clients,
    {{ sum_of('served_bytes') }} as served_bytes,
    max(started_at) as last_pulled_at
from {{ optional_mart('fct_image_pulls') }}
where image in {{ report_images() }}
group by image, client_network, client_tool, client_program, traffic_class
qualify row_number() over (
    partition by image
    order by count(*) desc, coalesce(client_network, '') asc, client_program asc, traffic_class asc
) <= {{ var('report_rows') }}
