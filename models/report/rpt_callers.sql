with

counted as (

    select
        period,
        shown_source as log_source,
        {{ report_image_level() }} as image_level,
        registry_host,
        project_id,
        image,
        case when grouping(client_network) = 0 then 'network' else 'program' end as caller_kind,
        {{ report_client_level() }} as client_level,
        traffic_class,
        client_tool,
        client_network,
        client_version,
        {{ count_if('is_complete') }} as pulls,
        {{ count_if('not is_complete') }} as incomplete_pulls,
        count(distinct client_id) as clients,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(case when is_complete then started_at end) as last_pulled_at,
        period_start
    from {{ ref('pullstats', 'rpt_pulls_in_periods') }}
    group by grouping sets ( -- noqa: PRS
        rollup(
            (period, period_start, shown_source, client_network), registry_host, project_id, image
        ),
        rollup(
            (period, period_start, shown_source, traffic_class, client_network),
            registry_host, project_id, image
        ),
        rollup(
            (period, period_start, shown_source, traffic_class, client_tool, client_network),
            registry_host, project_id, image
        ),
        rollup(
            (period, period_start, shown_source, traffic_class, client_tool, client_version),
            registry_host, project_id, image
        )
    )
    having grouping(period) = 0

),

-- a network is one caller, and counts its clients of all classes once; a program is one caller
-- per class, tool and version
named as (

    select
        *,
        case when caller_kind = 'program' then traffic_class end as program_class,
        case when caller_kind = 'program' then client_tool end as program_tool
    from counted
    where
        image_level != 'image'
        or image in (select top.image from {{ ref('pullstats', 'rpt_top_images') }} as top)

),

ranked as (

    select
        *,
        max(pulls) over (
            partition by
                period, period_start, log_source, image_level, registry_host, project_id, image,
                caller_kind, program_class, program_tool, client_network, client_version
        ) as caller_pulls
    from named

)

select
    *,
    dense_rank() over (
        partition by
            period, period_start, log_source, image_level, registry_host, project_id, image,
            caller_kind
        order by
            caller_pulls desc,
            coalesce(program_class, '') asc,
            coalesce(program_tool, '') asc,
            coalesce(client_network, client_version, '') asc
    ) as caller_rank
from ranked
