-- The daily mart counts every pull once, complete or not.
with

pulls as (

    select
        pull_date,
        count(*) as pull_count,
        {{ sum_of('served_bytes') }} as served_bytes
    from {{ ref('pullstats', 'fct_image_pulls') }}
    where {{ tested('pull_date') }}
    group by pull_date

),

daily as (

    select
        pull_date,
        sum(pulls + incomplete_pulls) as pull_count,
        {{ sum_of('served_bytes') }} as served_bytes
    from {{ ref('pullstats', 'fct_image_pulls_daily') }}
    where {{ tested('pull_date') }}
    group by pull_date

)

select
    coalesce(pulls.pull_date, daily.pull_date) as pull_date,
    pulls.pull_count as pulls_counted,
    daily.pull_count as pulls_daily
from pulls
full outer join daily on pulls.pull_date = daily.pull_date
where
    coalesce(pulls.pull_count, 0) != coalesce(daily.pull_count, 0)
    or coalesce(pulls.served_bytes, 0) != coalesce(daily.served_bytes, 0)
