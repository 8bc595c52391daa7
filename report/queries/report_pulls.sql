-- Pulls and clients by period, image level and client level; single images only if they are
-- pulled most.
with

client_days as (

    select
        log_source,
        registry_host,
        project_id,
        image,
        traffic_class,
        client_tool,
        {{ fingerprint(['client_id']) }} as client,
        {{ count_if('is_complete') }} as pulls,
        {{ count_if('not is_complete') }} as incomplete_pulls,
        {{ sum_of('served_bytes') }} as served_bytes,
        pull_date
    from {{ ref('pullstats', 'fct_image_pulls') }}
    group by
        log_source, registry_host, project_id, image, traffic_class, client_tool, client, pull_date

),

in_periods as (

    select
        client_days.*,
        periods.shown_source,
        periods.period,
        periods.period_start
    from client_days
    inner join {{ ref('pullstats', 'rpt_periods') }} as periods
        on client_days.log_source = periods.log_source and client_days.pull_date = periods.pull_date

),

counted as (

    select
        period,
        shown_source as log_source,
        {{ report_image_level() }} as image_level,
        registry_host,
        project_id,
        image,
        {{ report_client_level() }} as client_level,
        traffic_class,
        client_tool,
        {{ sum_of('pulls') }} as pulls,
        {{ sum_of("case when traffic_class = 'end_user' then pulls else 0 end") }}
            as end_user_pulls,
        {{ sum_of('incomplete_pulls') }} as incomplete_pulls,
        count(distinct client) as clients,
        count(distinct case when traffic_class = 'end_user' then client end) as end_user_clients,
        {{ sum_of('served_bytes') }} as served_bytes,
        period_start
    from in_periods
    group by grouping sets ( -- noqa: PRS
        rollup((period, period_start, shown_source), registry_host, project_id, image),
        rollup(
            (period, period_start, shown_source, traffic_class), registry_host, project_id, image
        ),
        rollup(
            (period, period_start, shown_source, traffic_class, client_tool),
            registry_host, project_id, image
        )
    )
    having grouping(period) = 0

)

select * from counted
where
    (
        image_level != 'image'
        or image in (select top.image from {{ ref('pullstats', 'rpt_top_images') }} as top)
    )
    and (period != 'day' or image_level != 'image' or client_level != 'tool')
    and (
        period != 'day'
        or {{ dbt.datediff('period_start', '(select max(pull_date) from client_days)', 'day') }}
        < {{ var('report_days') }}
    )
