{{ config(post_hook="{{ record_changed_blobs(ref('int_blobs_read_daily')) }}") }}
{%- set restated = days_to_restate() %}
{{ restatement_note(restated) }}
with

reads as (

    select
        bucket_name,
        digest,
        {{ sum_of('placed_count') }} as placed_count,
        {{ sum_of('config_place_count') }} as config_place_count,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(whole_bytes) as whole_bytes,
        min(first_read_micros) as first_read_micros,
        max(last_read_micros) as last_read_micros
    from {{ ref('int_blobs_read_daily') }}
    group by bucket_name, digest

),

writes as (

    select
        bucket_name,
        digest,
        max(written_bytes) as written_bytes,
        min(written_micros) as first_written_micros
    from {{ ref('int_object_writes') }}
    where object_kind = 'blob'
    group by bucket_name, digest

),

images as (

    select
        bucket_name,
        digest,
        count(*) as image_count,
        {{ of_only_image('registry_host') }} as registry_host,
        {{ of_only_image('image_path') }} as image_path,
        max(listed_kind) as listed_kind,
        max(listed_bytes) as listed_bytes
    from {{ ref('int_blob_images') }}
    group by bucket_name, digest

),

joined as (

    select
        bucket_name,
        digest,
        coalesce(images.image_count, 0) as image_count,
        images.registry_host,
        images.image_path,
        coalesce(reads.placed_count, 0) as placed_count,
        coalesce(reads.config_place_count, 0) as config_place_count,
        coalesce(reads.served_bytes, 0) as served_bytes,
        coalesce(images.listed_bytes, reads.whole_bytes, writes.written_bytes) as size_bytes,
        writes.first_written_micros,
        reads.first_read_micros,
        reads.last_read_micros,
        images.listed_kind
    from reads
    full outer join writes using (bucket_name, digest)
    full outer join images using (bucket_name, digest)

),

-- on the examples configs stand in their place in nine of ten runs, layers in none or a third;
-- reading a whole index puts a config out of place, only an export puts a layer into it
known as (

    select
        *,
        case
            when listed_kind is not null then listed_kind
            when placed_count = 0 then 'unknown'
            when config_place_count * 5 <= placed_count * 2 then 'layer'
            when size_bytes > {{ var('config_max_bytes') }} then 'layer'
            else 'config'
        end as blob_kind,
        case
            when listed_kind is not null then 'inventory'
            when placed_count > 0 then 'inferred'
            else 'none'
        end as blob_kind_source
    from joined

)

{{ with_change_time(
    'known', key=['bucket_name', 'digest'], read_at=restated.read_at,
    facts=['size_bytes', 'blob_kind', 'blob_kind_source', 'registry_host', 'image_path'],
) }}
