{{ config(
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['bucket_name', 'image'],
    meta={'restates': {'gcs_usage': [-1, 1], 'blobs': [0, 0]}},
) }}
{%- set restated = restated_days() %}
with

blob_reads as (

    select * from {{ ref('pullstats', 'int_blob_reads_sessionized') }}
    where {{ is_restated('session_date', restated) }}

),

numbered_reads as (

    select * from {{ ref('pullstats', 'int_blob_reads_numbered') }}
    where {{ is_restated('session_date', restated) }}

),

described as (

    select
        blob_reads.session_id,
        blob_reads.digest,
        blob_reads.served_bytes,
        blob_reads.started_micros,
        blob_reads.ended_micros,
        numbered_reads.pull_number,
        blobs.size_bytes,
        blobs.blob_kind_source,
        blobs.is_kind_certain,
        coalesce(blobs.blob_kind, 'unknown') as blob_kind,
        blobs.image as blob_image,
        {{ sortable_micros('blob_reads.started_micros') }} || blob_reads.request_key as first_read,
        -- 304: the client has the blob already
        blob_reads.status_code = 304 as is_cached,
        blob_reads.status_code = 206 as is_range
    from blob_reads
    left join numbered_reads on blob_reads.request_key = numbered_reads.request_key
    left join {{ ref('pullstats', 'int_blobs') }} as blobs
        on
            blob_reads.bucket_name = blobs.bucket_name
            and blob_reads.digest = blobs.digest

),

-- a session that is not numbered is one pull, each of its reads a blob: grouping these would take
-- most of the model's memory
blobs_of_pulls as (

    select
        session_id,
        1 as pull_number,
        true as is_plain_session,
        first_read,
        digest,
        blob_kind,
        blob_kind_source,
        is_kind_certain,
        size_bytes,
        blob_image,
        1 as request_count,
        is_cached,
        is_range,
        served_bytes,
        started_micros,
        ended_micros
    from described
    where pull_number is null
    union all
    select
        session_id,
        pull_number,
        false as is_plain_session,
        min(first_read) as first_read,
        digest,
        any_value(blob_kind) as blob_kind,
        any_value(blob_kind_source) as blob_kind_source,
        any_value(is_kind_certain) as is_kind_certain,
        any_value(size_bytes) as size_bytes,
        any_value(blob_image) as blob_image,
        count(*) as request_count,
        {{ count_if('is_cached') }} > 0 as is_cached,
        {{ count_if('not is_range') }} = 0 as is_range,
        {{ sum_of('served_bytes') }} as served_bytes,
        min(started_micros) as started_micros,
        max(ended_micros) as ended_micros
    from described
    where pull_number is not null
    group by session_id, pull_number, digest

),

grouped as (

    select
        {{ after_sortable_micros('min(first_read)') }} as fetch_id,
        {{ sole_value("case when blob_kind = 'config' then digest end") }} as image_id,
        min(case when blob_kind = 'config' then blob_kind_source end) as image_id_source,
        coalesce(
            {{ sole_value("case when blob_kind = 'config' then blob_image end") }},
            {{ sole_value('blob_image') }}
        ) as blob_image,
        {{ count_if('served_bytes > 0') }} as blob_count,
        {{ count_if("served_bytes > 0 and blob_kind = 'config'") }} as config_count,
        {{ count_if("served_bytes > 0 and blob_kind = 'artifact'") }} as artifact_count,
        {{ count_if(is_empty_config('digest')) }} as empty_config_count,
        {{ count_if(
            "served_bytes > 0 and blob_kind = 'layer'"
            ~ " or blob_kind = 'unknown' and served_bytes > " ~ 4 * var('config_usual_bytes')
        ) }} as layer_count,
        {{ count_if(
            "blob_kind = 'unknown' and served_bytes between " ~ var('config_min_bytes')
            ~ ' and ' ~ 4 * var('config_usual_bytes')
        ) }} as candidate_count,
        {{ count_if('served_bytes between 1 and ' ~ (var('config_min_bytes') - 1)) }}
            as tiny_count,
        {{ count_if('served_bytes > 0 and not is_range') }} as whole_count,
        {{ sum_of('request_count') }} as request_count,
        {{ sum_of('served_bytes') }} as served_bytes,
        min(case when is_plain_session then 1 else 0 end) = 1 as is_plain_session,
        {{ count_if("blob_kind = 'config' and is_kind_certain") }} > 0 as is_config_certain,
        -- ranges leave gaps on purpose: what the client asked for has been served
        {{ count_if('is_cached or served_bytes >= size_bytes') }} = count(*)
        or (
            {{ count_if('is_cached or served_bytes >= size_bytes or is_range') }} = count(*)
            and {{ count_if("served_bytes > 0 and blob_kind = 'config'") }} > 0
        ) as is_complete,
        min(started_micros) as started_micros,
        max(ended_micros) as ended_micros
    from blobs_of_pulls
    group by session_id, pull_number

)

select
    grouped.*,
    -- alike in all reads of a session
    first_reads.client_id,
    first_reads.client_network,
    first_reads.client_tool,
    first_reads.client_version,
    first_reads.traffic_class,
    first_reads.bucket_name,
    first_reads.image,
    first_reads.session_date
from grouped
inner join blob_reads as first_reads on grouped.fetch_id = first_reads.request_key
