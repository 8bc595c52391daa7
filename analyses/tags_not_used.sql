-- Which tags did nobody ask for or push for 30 days, or pull the builds that they name? Set
-- `unused_days`. Tags are known from Artifact Registry's log or an inventory.
with

tags as (

    select
        image,
        tag,
        min(unused_days) as unused_days,
        max(image_bytes) as image_bytes,
        max(last_pulled_at) as last_pulled_at,
        max(last_requested_at) as last_requested_at,
        max(last_pushed_at) as last_pushed_at
    from {{ ref('pullstats', 'dim_image_tags') }}
    group by image, tag

)

select * from tags
where unused_days >= {{ var('unused_days', 30) }}
order by unused_days desc, image asc, tag asc
