-- Pushes by day, image and tool.
select
    log_source,
    registry_host,
    project_id,
    image,
    traffic_class,
    client_tool,
    count(*) as pushes,
    {{ sum_of('written_bytes') }} as written_bytes,
    max(started_at) as last_pushed_at,
    push_date
from {{ ref('pullstats', 'fct_image_pushes') }}
group by
    log_source, registry_host, project_id, image, traffic_class, client_tool, push_date
