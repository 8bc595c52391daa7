-- Builds of the images that are pulled most, by period.
select
    period,
    shown_source as log_source,
    image,
    coalesce(image_id, manifest_digest) as build_digest,
    {{ count_if('is_complete') }} as pulls,
    count(distinct client_id) as clients,
    {{ sum_of('served_bytes') }} as served_bytes,
    min(case when is_complete then started_at end) as first_pulled_at,
    max(case when is_complete then started_at end) as last_pulled_at,
    period_start
from {{ ref('pullstats', 'rpt_pulls_in_periods') }}
where image in (select top.image from {{ ref('pullstats', 'rpt_top_images') }} as top)
group by
    period, shown_source, image, build_digest, period_start
qualify row_number() over (
    partition by period, period_start, shown_source, image
    order by pulls desc, count(*) desc, coalesce(build_digest, '') asc
) <= {{ var('report_rows') }}
