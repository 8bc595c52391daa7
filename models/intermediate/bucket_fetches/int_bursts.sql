{{ config(enabled='gcs_usage' in logs(), materialized='view', meta={'day': 'session_date'}) }}
with

blob_reads as (

    select * from {{ ref('pullstats', 'int_blob_reads') }}

),

client_tools as (

    select * from {{ ref('pullstats', 'client_tools') }}

),

tools_that_never_pull as (

    select * from {{ ref('pullstats', 'tools_that_never_pull') }}

),

blobs_of_bursts as (

    select
        session_id,
        burst_started_micros,
        digest,
        client_network,
        client_tool,
        client_version,
        bucket_name,
        image,
        session_date,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(case when status_code = 200 then nullif(served_bytes, 0) end)
            as max_complete_response_bytes,
        {{ count_if('status_code = 206') }} as range_count,
        min(case when served_bytes > 0 then started_micros end) as first_read_micros,
        max(case when served_bytes > 0 then started_micros end) as last_read_micros
    from blob_reads
    group by
        session_id, burst_started_micros, digest, client_network, client_tool, client_version,
        bucket_name, image, session_date

),

with_tools as (

    select
        blobs_of_bursts.*,
        -- many nodes behind one address read a blob many times: its size is one whole answer;
        -- a response that was interrupted, and resumed by ranges, shows no size
        coalesce(
            case
                when blobs_of_bursts.range_count = 0
                    then blobs_of_bursts.max_complete_response_bytes
            end,
            blobs_of_bursts.served_bytes
        ) as blob_bytes,
        {{ is_empty_config('blobs_of_bursts.digest') }} as is_empty_config,
        coalesce(
            client_tools.config_position,
            case when tools_that_never_pull.tool is null then 'unknown' else 'none' end
        ) as config_position,
        coalesce(client_tools.index_read, 'one_platform') as index_read,
        coalesce(client_tools.reads_cache, false) as reads_cache,
        coalesce(client_tools.tiny_config, 'never') as tiny_config,
        coalesce(
            {{ version_part('blobs_of_bursts.client_version', 1) }}
            >= cast(nullif(client_tools.attestations_since, 'never') as int64),
            false
        ) as reads_attestations
    from blobs_of_bursts
    left join client_tools on blobs_of_bursts.client_tool = client_tools.tool
    left join tools_that_never_pull on blobs_of_bursts.client_tool = tools_that_never_pull.tool

)

select
    session_id,
    burst_started_micros,
    digest,
    client_network,
    bucket_name,
    image,
    config_position,
    index_read,
    case when reads_attestations then 'never' else tiny_config end as tiny_config,
    served_bytes,
    max_complete_response_bytes,
    blob_bytes,
    reads_attestations,
    reads_cache,
    is_empty_config,
    first_read_micros,
    last_read_micros,
    session_date
from with_tools
