-- Pulls by hour of the week (0 is Monday, 00:00 UTC) on complete days, by period and image level.
with

hours as (

    select
        log_source,
        registry_host,
        project_id,
        image,
        pull_date,
        {{ weekday_of('pull_date') }} * 24
        + extract(hour from started_at) as hour_of_week,
        {{ count_if('is_complete') }} as pulls,
        {{ count_if("is_complete and traffic_class = 'end_user'") }} as end_user_pulls
    from {{ ref('pullstats', 'fct_image_pulls') }}
    where
        pull_date <= (
            select newest.newest_complete_date
            from {{ ref('pullstats', 'rpt_newest_complete_date') }} as newest
        )
    group by log_source, registry_host, project_id, image, pull_date, hour_of_week

),

in_periods as (

    select
        hours.*,
        periods.shown_source,
        periods.period,
        periods.period_start
    from hours
    inner join {{ ref('pullstats', 'rpt_periods') }} as periods
        on hours.log_source = periods.log_source and hours.pull_date = periods.pull_date
    where periods.is_selectable

),

counted as (

    select
        period,
        shown_source as log_source,
        {{ report_image_level() }} as image_level,
        registry_host,
        project_id,
        image,
        hour_of_week,
        {{ sum_of('pulls') }} as pulls,
        {{ sum_of('end_user_pulls') }} as end_user_pulls,
        period_start
    from in_periods
    group by rollup(
        (period, period_start, shown_source, hour_of_week), registry_host, project_id, image
    )
    having grouping(period) = 0

)

select * from counted
where
    pulls > 0
    and (
        image_level != 'image'
        or image in (select top.image from {{ ref('pullstats', 'rpt_top_images') }} as top)
    )
