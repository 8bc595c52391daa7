-- Every read of a blob is in exactly one group: a pull or another kind of read.
with

reads as (

    select
        session_date,
        count(*) as request_count,
        {{ sum_of('served_bytes') }} as served_bytes
    from {{ ref('pullstats', 'int_blob_reads') }}
    where {{ tested('session_date') }}
    group by session_date

),

grouped as (

    select
        session_date,
        sum(request_count) as request_count,
        {{ sum_of('served_bytes') }} as served_bytes
    from {{ ref('pullstats', 'int_blob_fetches') }}
    where {{ tested('session_date') }}
    group by session_date

)

select
    coalesce(reads.session_date, grouped.session_date) as session_date,
    reads.request_count as requests_read,
    grouped.request_count as requests_grouped
from reads
full outer join grouped on reads.session_date = grouped.session_date
where
    coalesce(reads.request_count, 0) != coalesce(grouped.request_count, 0)
    or coalesce(reads.served_bytes, 0) != coalesce(grouped.served_bytes, 0)
