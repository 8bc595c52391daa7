{{ config(enabled='gcs_usage' in logs()) }}
with

object_writes as (

    select * from {{ ref('pullstats', 'int_object_writes') }}

)

select
    'gcs_usage' as log_source,
    bucket_name as resource_name,
    object_kind,
    digest,
    image,
    repository,
    tag,
    client_id,
    client_tool,
    client_version,
    traffic_class,
    written_bytes,
    activity_date as write_date,
    {{ micros_to_timestamp('written_micros') }} as written_at
from object_writes
qualify row_number() over (
    partition by
        bucket_name, object_kind, digest, image, repository, tag
    order by written_micros, client_id, written_bytes
) = 1
