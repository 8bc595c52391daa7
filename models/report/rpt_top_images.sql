select image
from {{ ref('pullstats', 'dim_images') }}
where pulls > 0
qualify row_number() over (order by pulls desc, image asc) <= {{ var('report_images') }}
