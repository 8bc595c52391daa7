-- Which tags were not asked for, nor the builds that they name pulled, in the 30 days before the
-- newest log? Tags are known from Artifact Registry's log or an inventory. Set `unused_days`.
with

newest as (

    select max(traffic_date) as newest_date from {{ ref('fct_registry_requests_daily') }}

),

tags as (

    select
        image,
        tag,
        max(image_bytes) as image_bytes,
        max(case
            when last_requested_at is null or last_pulled_at > last_requested_at
                then last_pulled_at
            else last_requested_at
        end) as last_used_at
    from {{ ref('dim_image_tags') }}
    group by image, tag

)

select
    tags.image,
    tags.tag,
    tags.image_bytes,
    tags.last_used_at
from tags
cross join newest
where
    tags.last_used_at is null
    or cast(tags.last_used_at as date)
    <= cast({{ dbt.dateadd('day', -var('unused_days', 30), 'newest.newest_date') }} as date)
order by tags.last_used_at asc, tags.image asc, tags.tag asc
