{%- set restated = restate_by_day(
    'session_date', follows=[ref('int_blob_reads_sessionized'), ref('int_blobs')],
    cluster_by=['bucket_name', 'image'],
) %}
with

blob_reads as (

    select * from {{ ref('int_blob_reads_sessionized') }}
    where {{ is_restated('session_date', restated) }}

),

reads as (

    select
        blob_reads.request_key,
        blob_reads.session_id,
        blob_reads.digest,
        blob_reads.status_code,
        blob_reads.served_bytes,
        blob_reads.started_micros,
        blob_reads.ended_micros,
        client_tools.reads_index,
        blobs.size_bytes,
        coalesce(blobs.blob_kind, 'unknown') as blob_kind,
        blobs.blob_kind_source,
        blobs.image as sole_image_of_blob
    from blob_reads
    left join {{ ref('int_blobs') }} as blobs
        on
            blob_reads.bucket_name = blobs.bucket_name
            and blob_reads.digest = blobs.digest
    left join {{ ref('client_tools') }} as client_tools
        on blob_reads.client_tool = client_tools.tool

),

grouped as (

    {{ group_reads_by_pull('reads') }}

),

attributed as (

    select
        grouped.*,
        -- alike in all reads of a run
        {%- for column in [
            'client_id', 'client_network', 'client_tool', 'client_version', 'traffic_class',
            'bucket_name', 'image', 'session_date',
        ] %}
        first_reads.{{ column }},
        {%- endfor %}
        coalesce(grouped.sole_config_image, grouped.sole_image) as image_from_digest,
        {{ fetch_kind('grouped', 'first_reads', 'client_tools') }} as fetch_kind
    from grouped
    inner join blob_reads as first_reads
        on grouped.fetch_id = first_reads.request_key
    left join {{ ref('client_tools') }} as client_tools
        on first_reads.client_tool = client_tools.tool

)

select
    fetch_id,
    image_id,
    case when image_id is null then 'none' else image_id_source end as image_id_source,
    client_id,
    client_network,
    client_tool,
    client_version,
    traffic_class,
    fetch_kind,
    bucket_name,
    coalesce(image, image_from_digest) as image,
    case
        when image is not null then 'referer'
        when image_from_digest is not null then 'digest'
        else 'none'
    end as attribution,
    blob_count,
    request_count,
    served_bytes,
    is_complete,
    session_date,
    cast({{ micros_to_timestamp('first_micros') }} as date) as fetch_date,
    first_micros as started_micros,
    last_micros as ended_micros
from attributed
