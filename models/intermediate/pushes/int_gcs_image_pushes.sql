{{ config(enabled='gcs_usage' in logs(), materialized='view') }}
{%- set in_session = 'partition by client_id, bucket_name, session_started_micros' %}
{%- set in_order = in_session
    ~ ' order by started_micros, object_kind, digest nulls last, tag nulls last' %}
with

-- the name of a self-hosted registry's object holds the repository; its readers name the host
bucket_hosts as (

    select
        blobs.bucket_name,
        {{ sole_value('images.registry_host') }} as registry_host
    from {{ ref('pullstats', 'int_blobs') }} as blobs
    inner join {{ ref('pullstats', 'int_images') }} as images on blobs.image = images.image
    group by blobs.bucket_name

),

writes as (

    select
        object_writes.*,
        object_writes.written_micros as started_micros,
        coalesce(
            object_writes.image,
            bucket_hosts.registry_host || '/' || object_writes.repository,
            blobs.image
        ) as known_image,
        coalesce(object_writes.image, object_writes.repository) is not null as is_image_in_request,
        blobs.blob_kind = 'config' as is_config
    from {{ ref('pullstats', 'int_object_writes') }} as object_writes
    left join {{ ref('pullstats', 'int_blobs') }} as blobs
        on
            object_writes.object_kind = 'blob'
            and object_writes.bucket_name = blobs.bucket_name
            and object_writes.digest = blobs.digest
    left join bucket_hosts on object_writes.bucket_name = bucket_hosts.bucket_name

),

sessions as (

    {{ sessionize(
        'writes',
        of=['client_id', 'bucket_name'],
        gap_seconds=var('push_session_gap_seconds')
    ) }}

),

-- shared layers go with what is written next, since configs and manifests come last
attributed as (

    select
        *,
        coalesce(
            known_image,
            first_value(known_image ignore nulls) over (
                {{ in_order }} rows between current row and unbounded following
            ),
            last_value(known_image ignore nulls) over (
                {{ in_order }} rows between unbounded preceding and current row
            )
        ) as pushed_image
    from sessions

),

pushes as (

    select
        client_id,
        bucket_name,
        pushed_image as image,
        any_value(client_network) as client_network,
        any_value(client_tool) as client_tool,
        any_value(client_version) as client_version,
        any_value(traffic_class) as traffic_class,
        {{ sole_value('case when is_config then digest end') }} as image_id,
        max(case when is_image_in_request then 'path' else 'digest' end) as attribution,
        string_agg(distinct tag, ',' order by tag) as tags,
        count(distinct case when object_kind = 'blob' then digest end) as blob_count,
        count(distinct case when object_kind = 'manifest' then digest end) as manifest_count,
        {{ sum_of('written_bytes') }} as written_bytes,
        min(started_micros) as started_micros,
        max(ended_micros) as ended_micros
    from attributed
    group by client_id, bucket_name, session_started_micros, pushed_image

)

select
    {{ hash_of(['client_id', 'bucket_name', 'image', 'started_micros']) }} as push_id,
    image_id,
    image,
    bucket_name,
    client_id,
    client_network,
    client_tool,
    client_version,
    traffic_class,
    case when image is null then 'none' else attribution end as attribution,
    tags,
    blob_count,
    manifest_count,
    written_bytes,
    started_micros,
    ended_micros
from pushes
