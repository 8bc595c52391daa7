-- Networks that pull, by period and image level: the busiest of each.
select
    period,
    log_source,
    image_level,
    registry_host,
    project_id,
    image,
    client_level,
    traffic_class,
    client_tool,
    client_network,
    pulls,
    incomplete_pulls,
    clients,
    served_bytes,
    last_pulled_at,
    period_start
from {{ ref('pullstats', 'rpt_callers') }}
where
    caller_kind = 'network'
    and caller_rank <= {{ var('report_rows') }}
