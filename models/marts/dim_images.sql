with

image_pulls as (

    select * from {{ ref('fct_image_pulls') }}
    where
        image is not null
        and is_complete

),

pulled as (

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

),

listed as (

    select
        image,
        any_value(registry_host) as registry_host,
        any_value(project_id) as project_id,
        any_value(image_name) as image_name,
        count(distinct tag) as tag_count,
        max(listed_at) as listed_at
    from {{ ref('dim_image_tags') }}
    group by image

)

select
    image,
    coalesce(pulled.registry_host, listed.registry_host) as registry_host,
    coalesce(pulled.project_id, listed.project_id) as project_id,
    coalesce(pulled.image_name, listed.image_name) as image_name,
    coalesce(pulled.pulls, 0) as pulls,
    coalesce(pulled.end_user_pulls, 0) as end_user_pulls,
    coalesce(pulled.clients, 0) as clients,
    coalesce(pulled.builds, 0) as builds,
    coalesce(pulled.served_bytes, 0) as served_bytes,
    listed.tag_count,
    pulled.first_pulled_at,
    pulled.last_pulled_at,
    listed.listed_at
from pulled
full outer join listed using (image)
