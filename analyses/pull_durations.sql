{% set key = ['image', 'client_tool', 'client_cloud'] %}
with

image_pulls as (

    select * from {{ ref('pullstats', 'fct_image_pulls') }}
    where is_complete

),

ranked as (

    {{ ranked_within('image_pulls', key, 'duration_millis') }}

)

select
    {{ key | join(',\n    ') }},
    count(*) as pulls,
    {{ percentile('duration_millis', 50) }} as p50_duration_millis,
    {{ percentile('duration_millis', 90) }} as p90_duration_millis,
    {{ percentile('duration_millis', 95) }} as p95_duration_millis,
    {{ percentile('duration_millis', 99) }} as p99_duration_millis,
    {{ integer_divide('sum(served_bytes)', 'count(*)') }} as average_bytes
from ranked
group by {{ key | join(', ') }}
order by pulls desc
