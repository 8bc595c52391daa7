-- Which builds of each image, or of the variable `image`, are still pulled? Set the variable
-- `used_days`: builds that were pulled in so many days before the newest pull.
with

newest as (

    select max(pull_date) as newest_date from {{ ref('fct_image_pulls') }}

)

select
    image_pulls.image,
    image_pulls.image_id,
    {{ count_if('image_pulls.is_complete') }} as pulls,
    count(distinct image_pulls.client_id) as clients,
    min(image_pulls.started_at) as first_pulled_at,
    max(image_pulls.started_at) as last_pulled_at
from {{ ref('fct_image_pulls') }} as image_pulls
cross join newest
where
    image_pulls.pull_date
    > cast({{ dbt.dateadd('day', -var('used_days', 30), 'newest.newest_date') }} as date)
    and image_pulls.image_id is not null
    {% if var('image', none) %}
    and image_pulls.image = '{{ var("image") }}'
    {% endif %}
group by image_pulls.image, image_pulls.image_id
order by image_pulls.image asc, pulls desc
