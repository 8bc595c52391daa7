with

image_builds as (

    select * from {{ ref('fct_image_builds_monthly') }}

),

totals as (

    select
        image,
        any_value(registry_host) as registry_host,
        any_value(project_id) as project_id,
        any_value(image_name) as image_name,
        {{ sum_of('pulls') }} as pulls,
        {{ sum_of('end_user_pulls') }} as end_user_pulls,
        count(distinct case when pulls > 0 then image_id end) as image_ids,
        {{ sum_of('served_bytes') }} as served_bytes,
        min(first_pulled_at) as first_pulled_at,
        max(last_pulled_at) as last_pulled_at
    from image_builds
    group by image

),

pulled as (

    select * from totals
    where pulls > 0

),

-- two columns only: on BigQuery this reads all pulls over all time
image_clients as (

    select
        image,
        count(distinct client_id) as clients
    from {{ ref('fct_image_pulls') }}
    where image is not null
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
    where listed_at is not null
    group by image

),

requested as (

    select
        image,
        {{ micros_to_timestamp('max(started_micros)') }} as last_requested_at
    from {{ ref('int_manifest_fetches') }}
    where
        fetch_kind in ('pull', 'check', 'inspection')
        and traffic_class != 'scanner'
    group by image

)

select
    image,
    coalesce(pulled.registry_host, listed.registry_host) as registry_host,
    coalesce(pulled.project_id, listed.project_id) as project_id,
    coalesce(pulled.image_name, listed.image_name) as image_name,
    coalesce(pulled.pulls, 0) as pulls,
    coalesce(pulled.end_user_pulls, 0) as end_user_pulls,
    case when pulled.image is null then 0 else image_clients.clients end as clients,
    coalesce(pulled.image_ids, 0) as image_ids,
    case when pulled.image is null then 0 else pulled.served_bytes end as served_bytes,
    listed.tag_count,
    pulled.first_pulled_at,
    pulled.last_pulled_at,
    greatest(
        coalesce(requested.last_requested_at, pulled.last_pulled_at),
        coalesce(pulled.last_pulled_at, requested.last_requested_at)
    ) as last_requested_at,
    listed.listed_at
from pulled
full outer join listed using (image)
left join image_clients using (image)
left join requested using (image)
