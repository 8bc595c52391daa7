-- Builds of the images that are pulled most, by period.
with

sources as (

    {{ report_sources() }}

),

periods as (

    {{ report_periods() }}

)

select
    periods.period,
    sources.shown_source as log_source,
    pulls.image,
    pulls.image_id,
    {{ count_if('is_complete') }} as pulls,
    count(distinct client_id) as clients,
    {{ sum_of('served_bytes') }} as served_bytes,
    min(pulls.started_at) as first_pulled_at,
    max(pulls.started_at) as last_pulled_at,
    periods.period_start
from {{ ref('fct_image_pulls') }} as pulls
inner join sources on pulls.log_source = sources.log_source
inner join periods on pulls.pull_date = periods.pull_date
where
    periods.period not like 'previous%'
    and pulls.image in {{ report_images() }}
group by
    periods.period, sources.shown_source, pulls.image, pulls.image_id, periods.period_start
qualify row_number() over (
    partition by periods.period, periods.period_start, sources.shown_source, pulls.image
    order by count(*) desc, coalesce(pulls.image_id, '') asc
) <= {{ var('report_rows') }}
