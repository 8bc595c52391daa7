select
    count_confidence,
    attribution,
    image_id_source,
    is_complete,
    count(*) as pulls
from {{ ref('pullstats', 'fct_image_pulls') }}
group by count_confidence, attribution, image_id_source, is_complete
order by pulls desc
