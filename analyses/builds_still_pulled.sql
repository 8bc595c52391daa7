select
    image_pulls.image,
    image_pulls.image_id,
    image_pulls.index_digest,
    image_pulls.manifest_digest,
    {{ count_if('image_pulls.is_complete') }} as pulls,
    count(distinct image_pulls.client_id) as clients,
    min(case when image_pulls.is_complete then image_pulls.started_at end) as first_pulled_at,
    max(case when image_pulls.is_complete then image_pulls.started_at end) as last_pulled_at,
    max(image_pulls.started_at) as last_attempted_at
from {{ ref('pullstats', 'fct_image_pulls') }} as image_pulls
inner join {{ ref('pullstats', 'dim_projects') }} as projects
    on
        image_pulls.registry_host = projects.registry_host
        and coalesce(image_pulls.project_id, '') = coalesce(projects.project_id, '')
where
    image_pulls.pull_date
    > cast(
        {{ dbt.dateadd('day', '-' ~ parameter('used_days'), 'projects.logged_through') }} as date
    )
    and ({{ parameter('image') }} is null or image_pulls.image = {{ parameter('image') }})
group by
    image_pulls.image, image_pulls.image_id, image_pulls.index_digest, image_pulls.manifest_digest
order by image_pulls.image asc, pulls desc, image_pulls.image_id asc
