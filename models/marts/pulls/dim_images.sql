with

image_builds as (

    select * from {{ ref('pullstats', 'fct_image_builds_monthly') }}

),

totals as (

    select
        image,
        {{ sum_of('pulls') }} as pulls,
        {{ sum_of('end_user_pulls') }} as end_user_pulls,
        count(distinct case when pulls > 0 then image_id end) as builds,
        {{ sum_of('served_bytes') }} as served_bytes,
        min(first_pulled_at) as first_pulled_at,
        max(last_pulled_at) as last_pulled_at
    from image_builds
    group by image

),

-- three columns only: on BigQuery this reads all pulls over all time
image_clients as (

    select
        image,
        count(distinct client_id) as clients,
        count(distinct client_network) as client_networks
    from {{ ref('pullstats', 'fct_image_pulls') }}
    where image is not null
    group by image

),

listed as (

    select
        image,
        count(distinct case when not {{ is_referrer_tag('tag') }} then tag end) as tags,
        max(listed_at) as listed_at
    from {{ ref('pullstats', 'int_listed_manifests') }}
    group by image

),

requested as (

    select
        image,
        {{ micros_to_timestamp('max(last_used_micros)') }} as last_requested_at
    from {{ ref('pullstats', 'int_image_uses_daily') }}
    group by image

),

owned as (

    select
        images.image,
        owners.owner
    from {{ ref('pullstats', 'int_images') }} as images
    inner join {{ ref('pullstats', 'image_owners') }} as owners
        on {{ regexp_like('images.image', 'owners.image_pattern') }}
    qualify row_number() over (partition by images.image order by owners.priority) = 1

),

pushed as (

    select
        image,
        max(ended_at) as last_pushed_at
    from {{ ref('pullstats', 'fct_image_pushes') }}
    group by image

),

used as (

    select
        image,
        coalesce(totals.pulls, 0) as pulls,
        coalesce(totals.end_user_pulls, 0) as end_user_pulls,
        coalesce(image_clients.clients, 0) as clients,
        coalesce(image_clients.client_networks, 0) as client_networks,
        coalesce(totals.builds, 0) as builds,
        totals.served_bytes,
        listed.tags,
        totals.first_pulled_at,
        totals.last_pulled_at,
        requested.last_requested_at,
        listed.listed_at
    from totals
    full outer join listed using (image)
    left join image_clients using (image)
    left join requested using (image)
    where totals.pulls > 0 or listed.listed_at is not null

)

select
    used.image,
    images.registry_host,
    images.project_id,
    images.image_name,
    owned.owner,
    used.pulls,
    used.end_user_pulls,
    used.clients,
    used.client_networks,
    used.builds,
    used.served_bytes,
    used.tags,
    used.first_pulled_at,
    used.last_pulled_at,
    used.last_requested_at,
    pushed.last_pushed_at,
    project_days.later_covered_days as unused_days,
    used.listed_at
from used
left join {{ ref('pullstats', 'int_images') }} as images on used.image = images.image
left join {{ ref('pullstats', 'dim_projects') }} as projects
    on
        images.registry_host = projects.registry_host
        and coalesce(images.project_id, '') = coalesce(projects.project_id, '')
left join pushed on used.image = pushed.image
left join owned on used.image = owned.image
left join {{ ref('pullstats', 'fct_project_days') }} as project_days
    on
        projects.registry_host = project_days.registry_host
        and coalesce(projects.project_id, '') = coalesce(project_days.project_id, '')
        and project_days.log_date = {{ last_use_date([
            'used.last_requested_at', 'pushed.last_pushed_at',
        ]) }}
