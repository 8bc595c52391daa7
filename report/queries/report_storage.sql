-- Bytes stored, by bucket and day.
select
    bucket_name,
    stored_bytes,
    storage_date
from {{ ref('pullstats', 'fct_bucket_storage_daily') }}
