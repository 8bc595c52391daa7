-- Which tags name no build that was pulled in the 30 days before the newest log? Needs an
-- inventory. Set the variable `unused_days`.
with

newest as (

    select max(traffic_date) as newest_date from {{ ref('fct_registry_requests_daily') }}

)

select
    tags.image,
    tags.tag,
    max(tags.last_pulled_at) as last_pulled_at,
    sum(tags.image_bytes) as image_bytes
from {{ ref('dim_image_tags') }} as tags
cross join newest
group by tags.image, tags.tag, newest.newest_date
having
    max(tags.last_pulled_at) is null
    or cast(max(tags.last_pulled_at) as date)
    <= cast({{ dbt.dateadd('day', -var('unused_days', 30), 'newest.newest_date') }} as date)
order by last_pulled_at asc, tags.image asc, tags.tag asc
