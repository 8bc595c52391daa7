{{ config(enabled='gcs_usage' in logs()) }}
with

blobs as (

    select * from {{ ref('pullstats', 'int_blobs') }}

)

select
    bucket_name,
    digest,
    blob_kind,
    blob_kind_source,
    blob_kind_rule,
    image,
    size_bytes,
    image_count as images,
    served_bytes,
    {{ micros_to_timestamp('first_written_micros') }} as first_written_at,
    {{ micros_to_timestamp('first_read_micros') }} as first_read_at,
    {{ micros_to_timestamp('last_read_micros') }} as last_read_at
from blobs
