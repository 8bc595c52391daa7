with

pushes as (

    select * from {{ ref('pullstats', 'fct_image_pushes') }}
    where image is not null

),

-- a push and a pull name a build by one digest or several
pushed_digests as (

    select
        push_id,
        image,
        started_at,
        image_id as digest
    from pushes
    where image_id is not null
    union all
    select
        push_id,
        image,
        started_at,
        manifest_digest as digest
    from pushes
    where manifest_digest is not null

),

pulled_digests as (
    {%- for digest in ['image_id', 'index_digest', 'manifest_digest'] %}
    select
        pull_id,
        image,
        started_at,
        {{ digest }} as digest
    from {{ ref('pullstats', 'fct_image_pulls') }}
    where
        is_complete
        and {{ digest }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

pulls_of_pushes as (

    select
        pushed_digests.push_id,
        count(distinct pulled_digests.pull_id) as pulls,
        min(pulled_digests.started_at) as first_pulled_at
    from pushed_digests
    inner join pulled_digests
        on
            pushed_digests.image = pulled_digests.image
            and pushed_digests.digest = pulled_digests.digest
            and pushed_digests.started_at <= pulled_digests.started_at
    group by pushed_digests.push_id

)

select
    pushes.image,
    pushes.image_id,
    pushes.manifest_digest,
    pushes.tags,
    coalesce(pulls_of_pushes.pulls, 0) as pulls,
    {{ dbt.datediff('pushes.started_at', 'pulls_of_pushes.first_pulled_at', 'day') }}
        as days_to_first_pull,
    pushes.started_at as pushed_at,
    pulls_of_pushes.first_pulled_at
from pushes
left join pulls_of_pushes on pushes.push_id = pulls_of_pushes.push_id
order by pushes.started_at desc, pushes.image asc
