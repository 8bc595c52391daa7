-- Every read of a blob is in exactly one group: a pull or another kind of read.
with

reads as (

    select
        run_date,
        count(*) as request_count,
        sum(delivered_bytes) as served_bytes
    from {{ ref('int_blob_reads') }}
    where {{ tested('run_date') }}
    group by run_date

),

grouped as (

    select
        run_date,
        sum(request_count) as request_count,
        sum(served_bytes) as served_bytes
    from {{ ref('int_image_reads') }}
    where {{ tested('run_date') }}
    group by run_date

)

select
    coalesce(reads.run_date, grouped.run_date) as run_date,
    reads.request_count as requests_read,
    grouped.request_count as requests_grouped
from reads
full outer join grouped on reads.run_date = grouped.run_date
where
    coalesce(reads.request_count, 0) != coalesce(grouped.request_count, 0)
    or coalesce(reads.served_bytes, 0) != coalesce(grouped.served_bytes, 0)
