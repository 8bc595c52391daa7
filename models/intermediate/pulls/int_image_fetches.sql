{{ config(materialized='view', meta={'day': 'session_date'}) }}
with

grouped_reads as (

    select * from {{ ref('pullstats', 'int_blob_reads_grouped') }}

),

client_tools as (

    select * from {{ ref('pullstats', 'client_tools') }}

),

-- the first rule that holds decides
classified as (

    select
        grouped_reads.*,
        coalesce(grouped_reads.image, grouped_reads.blob_image) as fetched_image,
        case
            when grouped_reads.blob_count = 0 then 'partial'
            when never_pull.fetch_kind is not null then never_pull.fetch_kind
            when grouped_reads.traffic_class = 'scanner' then 'scan'
            -- without a registry's referer these have read the bucket itself
            when
                grouped_reads.image is null
                and grouped_reads.traffic_class in ('admin', 'housekeeping', 'lifecycle')
                then 'inspection'
            when
                grouped_reads.empty_config_count > 0
                or grouped_reads.artifact_count = grouped_reads.blob_count
                then 'artifact'
            when {{ is_cache_image('coalesce(grouped_reads.image, grouped_reads.blob_image)') }}
                then 'cache'
            when
                client_tools.reads_cache = 'true'
                and {{ is_build_cache('grouped_reads.image') }}
                then 'cache'
            when grouped_reads.config_count > 0 and grouped_reads.layer_count > 0 then 'pull'
            -- one of several small blobs is the config, as of an image with its attestation
            when
                grouped_reads.candidate_count > 0
                and grouped_reads.layer_count > 0
                and client_tools.config_only_read = 'pull'
                then 'pull'
            -- several small blobs and no layer: tags are watched, signatures verified
            when grouped_reads.layer_count = 0 and grouped_reads.blob_count > 1 then 'inspection'
            when
                grouped_reads.config_count = 0
                and client_tools.layers_only_read = 'artifact'
                then 'artifact'
            -- one small blob is taken for a config
            when grouped_reads.layer_count = 0
                then coalesce(client_tools.config_only_read, 'inspection')
            when client_tools.layers_only_read = 'partial' then 'partial'
            -- too small for an image's config, and one more: a signature, a bill of materials
            when
                grouped_reads.blob_count = 2
                and grouped_reads.tiny_count = 1
                and grouped_reads.served_bytes <= {{ var('config_max_bytes') }}
                then 'artifact'
            -- clients that read no config, or one that is not known
            when
                grouped_reads.blob_count > 1
                and grouped_reads.is_complete
                and grouped_reads.whole_count > 0
                then 'pull'
            else 'partial'
        end as fetch_kind
    from grouped_reads
    left join client_tools on grouped_reads.client_tool = client_tools.tool
    left join {{ ref('pullstats', 'tools_that_never_pull') }} as never_pull
        on grouped_reads.client_tool = never_pull.tool

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
    case
        when fetch_kind != 'pull' then null
        when config_count != 1 then 'ambiguous'
        when
            is_plain_session
            and is_config_certain
            and layer_count > 0
            -- no other small blob may be a config as well
            and candidate_count = 0
            and image is not null
            then 'certain'
        else 'inferred'
    end as count_confidence,
    bucket_name,
    fetched_image as image,
    case
        when image is not null then 'referer'
        when fetched_image is not null then 'digest'
        else 'none'
    end as attribution,
    blob_count,
    request_count,
    served_bytes,
    is_complete,
    session_date,
    cast({{ micros_to_timestamp('started_micros') }} as date) as fetch_date,
    started_micros,
    ended_micros
from classified
