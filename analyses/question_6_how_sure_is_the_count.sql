-- How is the number counted? What each pull's image and build rest on, and what was not complete.
select
    attribution,
    image_id_source,
    is_complete,
    count(*) as pulls
from {{ ref('fct_image_pulls') }}
group by attribution, image_id_source, is_complete
order by pulls desc
