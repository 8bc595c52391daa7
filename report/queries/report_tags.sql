-- Tags: those that are pulled most, and those that nobody has used for longest.
with

tags as (

    select
        image,
        registry_host,
        project_id,
        tag,
        max(tag_pulls) as tag_pulls,
        {{ sum_of('build_pulls') }} as build_pulls,
        max(checks) as checks,
        max(image_bytes) as image_bytes,
        min(unused_days) as unused_days,
        max(last_pushed_at) as last_pushed_at,
        max(last_pulled_at) as last_pulled_at,
        max(last_requested_at) as last_requested_at
    from {{ ref('pullstats', 'dim_image_tags') }}
    group by image, registry_host, project_id, tag

)

select
    *,
    count(*) over () as all_tags
from tags
qualify
    row_number() over (
        order by coalesce(tag_pulls, build_pulls, 0) desc, image asc, tag asc
    ) <= {{ var('report_tags') }}
    or row_number() over (
        order by coalesce(unused_days, -1) desc, image asc, tag asc
    ) <= {{ var('report_tags') }}
