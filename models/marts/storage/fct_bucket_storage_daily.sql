with

storage_logs as (

    select * from {{ ref('pullstats', 'stg_gcs__storage_logs') }}

)

-- a log that is delivered again supersedes the one before
select
    bucket_name,
    {{ integer_divide('storage_byte_hours', 24) }} as stored_bytes,
    storage_date
from storage_logs
qualify row_number() over (
    partition by bucket_name, storage_date
    order by loaded_at desc, log_object desc
) = 1
