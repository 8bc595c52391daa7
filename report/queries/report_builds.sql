-- The builds of each image.
select
    image,
    image_id,
    {{ count_if('is_complete') }} as pulls,
    count(distinct client_id) as clients,
    {{ sum_of('served_bytes') }} as served_bytes,
    min(started_at) as first_pulled_at,
    max(started_at) as last_pulled_at
from {{ optional_mart('fct_image_pulls') }}
where image in {{ report_images() }}
group by image, image_id
qualify row_number() over (
    partition by image order by count(*) desc, coalesce(image_id, '') asc
) <= {{ var('report_rows') }}
