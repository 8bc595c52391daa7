-- Quality of the pulls, by day.
select
    log_source,
    count(*) as pulls,
    {{ count_if('not is_complete') }} as incomplete_pulls,
    {{ count_if("attribution = 'none'") }} as unattributed_pulls,
    {{ count_if('image_id is null and manifest_digest is null') }} as pulls_without_build,
    {{ count_if("count_confidence = 'ambiguous'") }} as ambiguous_pulls,
    pull_date
from {{ ref('pullstats', 'fct_image_pulls') }}
group by log_source, pull_date
