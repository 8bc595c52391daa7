-- Networks that pull, by period and image level: the busiest of each.
with

image_pulls as (

    select * from {{ ref('fct_image_pulls') }}

),

in_periods as (

    {{ report_rows_in_periods('image_pulls') }}

),

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
        client_network,
        {{ count_if('is_complete') }} as pulls,
        {{ count_if('not is_complete') }} as incomplete_pulls,
        count(distinct client_id) as clients,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(started_at) as last_pulled_at,
        period_start
    from in_periods
    where period not like 'previous%'
    group by grouping sets ( -- noqa: PRS
        {{ report_grouping_sets([', client_network, traffic_class, client_tool']) }}
    )

),

totals as (

    select
        *,
        sum(pulls) over (
            partition by
                period,
                period_start,
                log_source,
                image_level,
                registry_host,
                project_id,
                image,
                client_network
        ) as network_pulls
    from counted
    where image_level != 'image' or image in {{ report_images() }}

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
    client_network,
    pulls,
    incomplete_pulls,
    clients,
    served_bytes,
    last_pulled_at,
    period_start
from totals
qualify dense_rank() over (
    partition by period, period_start, log_source, image_level, registry_host, project_id, image
    order by network_pulls desc, coalesce(client_network, '') asc
) <= {{ var('report_rows') }}
