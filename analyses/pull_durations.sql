{% set key = ['image', 'client_tool', 'client_cloud'] %}
with

image_pulls as (

    select * from {{ ref('pullstats', 'fct_image_pulls') }}
    where is_complete

),

ranked as (

    select
        *,
        row_number() over (
            partition by {{ key | join(', ') }} order by duration_millis
        ) as duration_rank,
        count(*) over (partition by {{ key | join(', ') }}) as pull_count
    from image_pulls

)

select
    {{ key | join(',\n    ') }},
    count(*) as pulls,
    -- by nearest rank: the engines' own functions interpolate or estimate
    {%- for percent in [50, 90, 95, 99] %}
    min(case when duration_rank * 100 >= pull_count * {{ percent }} then duration_millis end)
        as p{{ percent }}_duration_millis,
    {%- endfor %}
    {{ integer_divide('sum(served_bytes)', 'count(*)') }} as average_bytes
from ranked
group by {{ key | join(', ') }}
order by pulls desc
