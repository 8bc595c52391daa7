-- Tags: those that are pulled most, and those that nobody has used for longest.
with

platforms as (

    select
        *,
        case
            when last_requested_at is null or last_pulled_at > last_requested_at
                then last_pulled_at
            else last_requested_at
        end as last_used_at
    from {{ ref('dim_image_tags') }}

),

tags as (

    select
        image,
        registry_host,
        project_id,
        tag,
        max(tag_pulls) as tag_pulls,
        {{ sum_of('pulls') }} as build_pulls,
        max(checks) as checks,
        max(image_bytes) as image_bytes,
        max(last_pushed_at) as last_pushed_at,
        max(last_used_at) as last_used_at
    from platforms
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
        order by
            case when last_used_at is null then 0 else 1 end asc,
            last_used_at asc,
            image asc,
            tag asc
    ) <= {{ var('report_tags') }}
