-- Bytes that pulls are served, by day, project and cloud.
select
    log_source,
    registry_host,
    project_id,
    traffic_class,
    client_cloud,
    {{ sum_of('served_bytes') }} as served_bytes,
    pull_date
from {{ ref('pullstats', 'fct_image_pulls') }}
where served_bytes > 0
group by log_source, registry_host, project_id, traffic_class, client_cloud, pull_date
