-- Programs that pull, by period and image level: the busiest of each. A client has one program, so
-- the page adds these rows up. In audit logs a client can have several classes, by principal: it
-- counts in each.
with

counted as (

    select
        period,
        shown_source as log_source,
        {{ report_image_level() }} as image_level,
        registry_host,
        project_id,
        image,
        traffic_class,
        client_tool,
        client_version,
        {{ count_if('is_complete') }} as pulls,
        {{ count_if('not is_complete') }} as incomplete_pulls,
        count(distinct client_id) as clients,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(case when is_complete then started_at end) as last_pulled_at,
        period_start
    from {{ ref('rpt_pulls_in_periods') }}
    group by rollup(
        (period, period_start, shown_source, traffic_class, client_tool, client_version),
        registry_host, project_id, image
    )
    having grouping(period) = 0

),

ranked as (

    select
        *,
        sum(pulls) over (
            partition by
                period, period_start, log_source, image_level, registry_host, project_id, image,
                traffic_class, client_tool, client_version
        ) as program_pulls
    from counted
    where
        image_level != 'image'
        or image in (select top.image from {{ ref('rpt_top_images') }} as top)

)

select
    period,
    log_source,
    image_level,
    registry_host,
    project_id,
    image,
    traffic_class,
    client_tool,
    client_version,
    pulls,
    incomplete_pulls,
    clients,
    served_bytes,
    last_pulled_at,
    period_start
from ranked
qualify dense_rank() over (
    partition by period, period_start, log_source, image_level, registry_host, project_id, image
    order by
        program_pulls desc,
        coalesce(traffic_class, '') asc,
        coalesce(client_tool, '') asc,
        coalesce(client_version, '') asc
) <= {{ var('report_rows') }}
