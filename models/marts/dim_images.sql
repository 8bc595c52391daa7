with

image_pulls as (

    select * from {{ ref('fct_image_pulls') }}
    where
        image is not null
        and is_complete

)

select
    image,
    any_value(registry_host) as registry_host,
    any_value(project_id) as project_id,
    any_value(image_name) as image_name,
    count(*) as pulls,
    {{ count_if("traffic_class = 'end_user'") }} as end_user_pulls,
    count(distinct client_id) as clients,
    count(distinct image_id) as builds,
    {{ sum_of('served_bytes') }} as served_bytes,
    min(started_at) as first_pulled_at,
    max(started_at) as last_pulled_at
from image_pulls
group by image
