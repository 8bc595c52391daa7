-- Which builds of each image, or of the variable `image`, are still pulled? Set the variable
-- `used_days`: builds that were pulled in so many days before the newest pull.
with

newest as (

    select max(pull_date) as newest_date from {{ ref('fct_image_pulls') }}

)

select
    pulls.image,
    pulls.image_id,
    {{ count_if('pulls.is_complete') }} as pulls,
    count(distinct pulls.client_id) as clients,
    min(pulls.started_at) as first_pulled_at,
    max(pulls.started_at) as last_pulled_at
from {{ ref('fct_image_pulls') }} as pulls
cross join newest
where
    pulls.pull_date
    > cast({{ dbt.dateadd('day', -var('used_days', 30), 'newest.newest_date') }} as date)
    and pulls.image_id is not null
    {% if var('image', none) %}
    and pulls.image = '{{ var("image") }}'
    {% endif %}
group by pulls.image, pulls.image_id
order by pulls.image asc, pulls desc
