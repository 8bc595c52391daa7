-- Programs that pull, by period and image level: the busiest of each.
with

sources as (

    {{ report_sources() }}

),

periods as (

    {{ report_periods() }}

),

counted as (

    select
        periods.period,
        sources.shown_source as log_source,
        {{ report_image_level() }} as image_level,
        pulls.registry_host,
        pulls.project_id,
        pulls.image,
        pulls.traffic_class,
        pulls.client_tool,
        pulls.client_version,
        {{ count_if('is_complete') }} as pulls,
        {{ count_if('not is_complete') }} as incomplete_pulls,
        count(distinct client_id) as clients,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(pulls.started_at) as last_pulled_at,
        periods.period_start
    from {{ ref('fct_image_pulls') }} as pulls
    inner join sources on pulls.log_source = sources.log_source
    inner join periods on pulls.pull_date = periods.pull_date
    where periods.period not like 'previous%'
    group by {{ report_grouping_sets(
        'period, period_start, shown_source', [', traffic_class, client_tool, client_version']
    ) }} -- noqa: PRS

)

select * from counted
where image_level != 'image' or image in {{ report_images() }}
qualify row_number() over (
    partition by period, period_start, log_source, image_level, registry_host, project_id, image
    order by
        pulls desc, served_bytes desc, coalesce(client_version, '') asc, client_tool asc, traffic_class asc
) <= {{ var('report_rows') }}
