{{ config(
    meta={'restates': {}},
    post_hook="{{ add_days_of_changed_blobs(ref('pullstats', 'int_blob_evidence_daily')) }}",
) }}
with

reads as (

    select
        bucket_name,
        digest,
        {{ sum_of('bursts_with_position_count') }} as bursts_with_position_count,
        {{ sum_of('bursts_at_config_position_count') }} as bursts_at_config_position_count,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(max_complete_response_bytes) as max_complete_response_bytes,
        min(first_read_micros) as first_read_micros,
        max(last_read_micros) as last_read_micros
    from {{ ref('pullstats', 'int_blob_evidence_monthly') }}
    where bucket_name is not null
    group by bucket_name, digest

),

writes as (

    select
        bucket_name,
        digest,
        max(written_bytes) as written_bytes,
        min(written_micros) as first_written_micros
    from {{ ref('pullstats', 'int_object_writes') }}
    where
        object_kind = 'blob'
        and bucket_name is not null
    group by bucket_name, digest

),

images as (

    select
        bucket_name,
        digest,
        count(*) as image_count,
        {{ sole_image_column('image') }} as image,
        max(inventory_blob_kind) as inventory_blob_kind,
        max(inventory_size_bytes) as inventory_size_bytes
    from {{ ref('pullstats', 'int_blob_images') }}
    group by bucket_name, digest

),

joined as (

    select
        bucket_name,
        digest,
        coalesce(images.image_count, 0) as image_count,
        images.image,
        coalesce(reads.bursts_with_position_count, 0)
            as bursts_with_position_count,
        coalesce(reads.bursts_at_config_position_count, 0)
            as bursts_at_config_position_count,
        coalesce(reads.served_bytes, 0) as served_bytes,
        coalesce(
            images.inventory_size_bytes,
            reads.max_complete_response_bytes,
            writes.written_bytes
        ) as size_bytes,
        writes.first_written_micros,
        reads.first_read_micros,
        reads.last_read_micros,
        images.inventory_blob_kind
    from reads
    full outer join writes using (bucket_name, digest)
    full outer join images using (bucket_name, digest)

),

-- on the examples a config is at its position in nine of ten bursts, a layer in none or a third:
-- what came by a second address, or was resumed, begins with a layer
known as (

    select
        *,
        case
            when inventory_blob_kind is not null then inventory_blob_kind
            when bursts_with_position_count = 0 then 'unknown'
            when bursts_at_config_position_count * 5 <= bursts_with_position_count * 2
                then 'layer'
            when size_bytes > {{ var('config_max_bytes') }} then 'layer'
            when
                size_bytes > {{ var('config_usual_bytes') }}
                and bursts_at_config_position_count * 2 <= bursts_with_position_count
                then 'layer'
            when
                size_bytes > 4 * {{ var('config_usual_bytes') }}
                and bursts_at_config_position_count < 3
                then 'layer'
            -- a single session may have read a layer first
            when
                size_bytes > {{ var('config_usual_bytes') }}
                and bursts_at_config_position_count < 2
                then 'unknown'
            else 'config'
        end as blob_kind,
        case
            when inventory_blob_kind is not null then 'inventory'
            when bursts_with_position_count > 0 then 'inferred'
            else 'none'
        end as blob_kind_source,
        inventory_blob_kind is not null
        or (
            bursts_at_config_position_count >= 2
            and bursts_at_config_position_count * 4 >= bursts_with_position_count * 3
        ) as is_kind_certain
    from joined

)

{{ with_change_times('known', key=['bucket_name', 'digest'], compare_columns={
    'changed_at': ['size_bytes', 'blob_kind', 'blob_kind_source', 'is_kind_certain'],
    'image_changed_at': ['image'],
}) }}
