-- Complete pulls by duration, period and image level; at_most_seconds is null for the longest.
with

timed as (

    select
        *,
        case
            {%- for seconds in [1, 2, 5, 10, 20, 30, 60, 120, 300, 600] %}
            when duration_millis <= {{ seconds * 1000 }} then {{ seconds }}
            {%- endfor %}
        end as at_most_seconds
    from {{ ref('pullstats', 'rpt_pulls_in_periods') }}
    where is_complete

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
        at_most_seconds,
        count(*) as pulls,
        period_start
    from timed
    group by rollup(
        (period, period_start, shown_source, traffic_class, at_most_seconds),
        registry_host, project_id, image
    )
    having grouping(period) = 0

)

select * from counted
where
    image_level != 'image'
    or image in (select top.image from {{ ref('pullstats', 'rpt_top_images') }} as top)
