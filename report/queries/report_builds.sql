-- Builds of the images that are pulled most, by period.
with

image_pulls as (

    select * from {{ ref('fct_image_pulls') }}

),

in_periods as (

    {{ report_rows_in_periods('image_pulls') }}

)

select
    period,
    shown_source as log_source,
    image,
    coalesce(image_id, manifest_digest) as build_digest,
    {{ count_if('is_complete') }} as pulls,
    count(distinct client_id) as clients,
    {{ sum_of('served_bytes') }} as served_bytes,
    min(started_at) as first_pulled_at,
    max(started_at) as last_pulled_at,
    period_start
from in_periods
where
    period not like 'previous%'
    and image in {{ report_images() }}
group by
    period, shown_source, image, build_digest, period_start
qualify row_number() over (
    partition by period, period_start, shown_source, image
    order by count(*) desc, coalesce(build_digest, '') asc
) <= {{ var('report_rows') }}
