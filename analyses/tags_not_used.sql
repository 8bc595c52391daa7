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
where unused_days >= {{ parameter('unused_days') }}
order by unused_days desc, image asc, tag asc
