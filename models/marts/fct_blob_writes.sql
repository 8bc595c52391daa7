with

writes as (

    select * from {{ ref('int_object_writes') }}

)

select
    bucket_name,
    object_kind,
    digest,
    registry_host,
    image_path,
    tag,
    client_id,
    client_tool,
    client_version,
    traffic_class,
    written_bytes,
    activity_date as written_date,
    {{ micros_to_timestamp('written_micros') }} as written_at
from writes
qualify row_number() over (
    partition by
        bucket_name, object_kind, digest, registry_host, image_path, tag
    order by written_micros, record_key
) = 1
