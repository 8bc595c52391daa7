-- Clouds and regions that pull, by period, image level and traffic class.
with

counted as (

    select
        period,
        shown_source as log_source,
        {{ report_image_level() }} as image_level,
        registry_host,
        project_id,
        image,
        case when grouping(traffic_class) = 0 then 'class' else 'all' end as client_level,
        traffic_class,
        client_cloud,
        client_cloud_region,
        {{ count_if('is_complete') }} as pulls,
        count(distinct client_id) as clients,
        {{ sum_of('served_bytes') }} as served_bytes,
        {{ sum_of('egress_cost_nanos') }} as egress_cost_nanos,
        period_start
    from {{ ref('pullstats', 'rpt_pulls_in_periods') }}
    group by grouping sets ( -- noqa: PRS
        rollup(
            (period, period_start, shown_source, client_cloud, client_cloud_region),
            registry_host, project_id, image
        ),
        rollup(
            (period, period_start, shown_source, traffic_class, client_cloud, client_cloud_region),
            registry_host, project_id, image
        )
    )
    having grouping(period) = 0

)

select * from counted
where
    image_level != 'image'
    or image in (select top.image from {{ ref('pullstats', 'rpt_top_images') }} as top)
