-- Pulls that were interrupted or failed, by day, image and tool.
select
    log_source,
    registry_host,
    project_id,
    image,
    traffic_class,
    client_tool,
    {{ sum_of('incomplete_pulls') }} as incomplete_pulls,
    pull_date
from {{ ref('pullstats', 'fct_image_pulls_daily') }}
where incomplete_pulls > 0
group by log_source, registry_host, project_id, image, traffic_class, client_tool, pull_date
