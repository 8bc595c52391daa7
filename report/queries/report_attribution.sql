-- What the image of each pull rests on.
select
    attribution,
    image_id_source,
    is_complete,
    count(*) as pulls
from {{ optional_mart('fct_image_pulls') }}
group by attribution, image_id_source, is_complete
