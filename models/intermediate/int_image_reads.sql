{{ config(
    materialized='incremental',
    partition_by=partition_by_day('run_date'),
    cluster_by=['bucket_name', 'image_path'],
    pre_hook="{{ clear_restated_days('run_date') }}",
    post_hook="{{ record_build() }}",
) }}
{%- set restated = days_to_restate(parents=['int_blob_reads', 'int_blobs']) %}
{{ restatement_note(restated) }}
with

blob_reads as (

    select * from {{ ref('int_blob_reads') }}
    where {{ is_restated('run_date', restated) }}

),

reads as (

    select
        blob_reads.record_key,
        blob_reads.run_id,
        blob_reads.digest,
        blob_reads.status_code,
        blob_reads.delivered_bytes,
        blob_reads.started_micros,
        blob_reads.ended_micros,
        client_tools.reads_index,
        blobs.size_bytes,
        coalesce(blobs.blob_kind, 'unknown') as blob_kind,
        blobs.blob_kind_source,
        blobs.registry_host || '/' || blobs.image_path as blob_image
    from blob_reads
    left join {{ ref('int_blobs') }} as blobs
        on
            blob_reads.bucket_name = blobs.bucket_name
            and blob_reads.digest = blobs.digest
    left join {{ ref('client_tools') }} as client_tools
        on blob_reads.client_tool = client_tools.tool

),

grouped as (

    {{ grouped_reads('reads') }}

),

attributed as (

    select
        grouped.*,
        -- alike in all reads of a run
        {%- for column in [
            'client_id', 'client_network', 'client_tool', 'client_version', 'traffic_class',
            'bucket_name', 'registry_host', 'image_path', 'run_date',
        ] %}
        first_reads.{{ column }},
        {%- endfor %}
        coalesce(grouped.only_config_image, grouped.only_image) as image_by_digest,
        {{ read_kind('grouped', 'first_reads', 'client_tools') }} as read_kind
    from grouped
    inner join blob_reads as first_reads
        on grouped.read_id = first_reads.record_key
    left join {{ ref('client_tools') }} as client_tools
        on first_reads.client_tool = client_tools.tool

)

select
    read_id,
    image_id,
    case when image_id is null then 'none' else image_id_source end as image_id_source,
    client_id,
    client_network,
    client_tool,
    client_version,
    traffic_class,
    read_kind,
    bucket_name,
    coalesce(registry_host, {{ regexp_group('image_by_digest', "'^([^/]+)/'") }}) as registry_host,
    coalesce(image_path, {{ regexp_group('image_by_digest', "'^[^/]+/(.+)$'") }}) as image_path,
    case
        when registry_host is not null then 'referer'
        when image_by_digest is not null then 'digest'
        else 'none'
    end as attribution,
    blob_count,
    request_count,
    served_bytes,
    is_complete,
    run_date,
    cast({{ micros_to_timestamp('first_micros') }} as date) as read_date,
    first_micros as started_micros,
    last_micros as ended_micros
from attributed
