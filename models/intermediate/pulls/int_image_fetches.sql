{{ config(materialized='view', meta={'day': 'session_date'}) }}
with

grouped_reads as (

    select * from {{ ref('int_blob_reads_grouped') }}

),

client_tools as (

    select * from {{ ref('client_tools') }}

)

select
    grouped_reads.fetch_id,
    grouped_reads.image_id,
    case
        when grouped_reads.image_id is null then 'none' else grouped_reads.image_id_source
    end as image_id_source,
    grouped_reads.client_id,
    grouped_reads.client_network,
    grouped_reads.client_tool,
    grouped_reads.client_version,
    grouped_reads.traffic_class,
    case
        when grouped_reads.blob_count = 0 then 'partial'
        when client_tools.fetch_kind is not null then client_tools.fetch_kind
        when grouped_reads.traffic_class = 'scanner' then 'scan'
        -- without a registry's referer these have read the bucket itself
        when
            grouped_reads.image is null
            and grouped_reads.traffic_class in ('admin', 'housekeeping', 'lifecycle')
            then 'inspection'
        when grouped_reads.artifact_count = grouped_reads.blob_count then 'artifact'
        when
            client_tools.has_build_cache = 'true'
            and {{ regexp_like('grouped_reads.image', "'[/-](build)?cache$'") }}
            then 'artifact'
        when grouped_reads.config_count > 0 and grouped_reads.layer_count > 0 then 'pull'
        -- small blobs without a layer
        when grouped_reads.layer_count = 0 and grouped_reads.blob_count > 1 then 'inspection'
        when grouped_reads.layer_count = 0 and client_tools.layers_only_read = 'artifact' and grouped_reads.config_count = 0 then 'artifact'
        when grouped_reads.layer_count = 0 then coalesce(client_tools.config_only_read, 'inspection')
        when client_tools.layers_only_read in ('partial', 'artifact', 'inspection')
            then client_tools.layers_only_read
        when grouped_reads.blob_count > 1 and grouped_reads.is_complete then 'pull'
        else 'partial'
    end as fetch_kind,
    grouped_reads.bucket_name,
    coalesce(grouped_reads.image, grouped_reads.blob_image) as image,
    case
        when grouped_reads.image is not null then 'referer'
        when grouped_reads.blob_image is not null then 'digest'
        else 'none'
    end as attribution,
    grouped_reads.blob_count,
    grouped_reads.request_count,
    grouped_reads.served_bytes,
    grouped_reads.is_complete,
    grouped_reads.session_date,
    cast({{ micros_to_timestamp('grouped_reads.started_micros') }} as date) as fetch_date,
    grouped_reads.started_micros,
    grouped_reads.ended_micros
from grouped_reads
left join client_tools on grouped_reads.client_tool = client_tools.tool
