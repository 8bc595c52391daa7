-- How sure is the count? How image and build of each pull are known, and what was not complete.
select
    attribution,
    image_id_source,
    is_complete,
    count(*) as pulls
from {{ ref('fct_image_pulls') }}
group by attribution, image_id_source, is_complete
order by pulls desc
