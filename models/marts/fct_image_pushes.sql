{%- set in_run = 'partition by client_id, bucket_name, run_started_micros' %}
{%- set in_order = in_run ~ ' order by started_micros, record_key' %}
with

writes as (

    select
        object_writes.*,
        object_writes.written_micros as started_micros,
        {{ midnight_micros('object_writes.written_micros') }} as midnight_micros,
        coalesce(object_writes.registry_host, blobs.registry_host) as push_host,
        coalesce(object_writes.image_path, blobs.image_path) as push_path,
        blobs.blob_kind = 'config' as is_config
    from {{ ref('int_object_writes') }} as object_writes
    left join {{ ref('int_blobs') }} as blobs
        on
            object_writes.object_kind = 'blob'
            and object_writes.bucket_name = blobs.bucket_name
            and object_writes.digest = blobs.digest

),

runs as (

    {{ runs('writes', of=['client_id', 'bucket_name'], gap_seconds=var('push_gap_seconds')) }}

),

-- shared layers go with what is written next, since configs and manifests come last
attributed as (

    select
        *,
        coalesce(
            push_host || '/' || push_path,
            first_value(push_host || '/' || push_path ignore nulls) over (
                {{ in_order }} rows between current row and unbounded following
            ),
            last_value(push_host || '/' || push_path ignore nulls) over (
                {{ in_order }} rows between unbounded preceding and current row
            )
        ) as image
    from runs

),

pushes as (

    select
        client_id,
        bucket_name,
        image,
        {{ regexp_group('image', "'^([^/]+)/'") }} as registry_host,
        {{ regexp_group('image', "'^[^/]+/(.+)$'") }} as image_path,
        any_value(client_network) as client_network,
        any_value(client_tool) as client_tool,
        any_value(client_version) as client_version,
        any_value(traffic_class) as traffic_class,
        {{ only_value('case when is_config then digest end') }} as image_id,
        max(case when image_path is not null then 'path' else 'digest' end) as attribution,
        string_agg(distinct tag, ',' order by tag) as tags,
        count(distinct case when object_kind = 'blob' then digest end) as blob_count,
        count(distinct case when object_kind = 'manifest' then digest end) as manifest_count,
        {{ sum_of('written_bytes') }} as written_bytes,
        min(started_micros) as started_micros,
        max(ended_micros) as ended_micros
    from attributed
    group by client_id, bucket_name, run_started_micros, image

)

select
    {{ hash_of(['client_id', 'bucket_name', 'image', 'started_micros']) }} as push_id,
    image_id,
    registry_host,
    {{ image_project('registry_host', 'image_path') }} as project_id,
    {{ image_name('registry_host', 'image_path') }} as image_name,
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
    cast({{ micros_to_timestamp('started_micros') }} as date) as pushed_date,
    {{ micros_to_timestamp('started_micros') }} as started_at,
    {{ micros_to_timestamp('ended_micros') }} as ended_at
from pushes
