{{ config(
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['session_id'],
    meta={'restates': {'gcs_usage': [-1, 1], 'blobs': [0, 0]}},
) }}
{%- set restated = restated_days() %}
{%- set of_blob = 'partition by session_id, digest order by read_number' %}
{%- set before = 'rows between unbounded preceding and 1 preceding' %}
{%- set after = 'rows between 1 following and unbounded following' %}
with

blob_reads as (

    select * from {{ ref('pullstats', 'int_blob_reads_sessionized') }}
    where {{ is_restated('session_date', restated) }}

),

described as (

    select
        blob_reads.request_key,
        blob_reads.session_id,
        blob_reads.client_tool,
        blob_reads.client_version,
        blob_reads.digest,
        blob_reads.status_code,
        blob_reads.served_bytes,
        blob_reads.started_micros,
        blob_reads.burst_started_micros,
        blob_reads.session_date,
        blobs.size_bytes,
        coalesce(blobs.blob_kind, 'unknown') as blob_kind
    from blob_reads
    left join {{ ref('pullstats', 'int_blobs') }} as blobs
        on
            blob_reads.bucket_name = blobs.bucket_name
            and blob_reads.digest = blobs.digest

),

blobs_of_sessions as (

    select
        session_id,
        count(*) as read_count,
        max(case when blob_kind = 'config' then 1 else 0 end) as config_count
    from described
    group by session_id, digest

),

-- a session that reads each blob once and no second config is one pull: only the others are looked
-- at read by read, by windows that cost ten times what all the rest does
intricate_sessions as (

    select session_id
    from blobs_of_sessions
    group by session_id
    having max(read_count) > 1 or sum(config_count) > 1

),

ordered as (

    select
        described.*,
        row_number() over (
            partition by described.session_id
            order by described.started_micros, described.request_key
        ) as read_number
    from described
    inner join intricate_sessions on described.session_id = intricate_sessions.session_id

),

measured as (

    select
        *,
        coalesce(sum(served_bytes) over ({{ of_blob }} {{ before }}), 0) as bytes_before,
        min(case when status_code = 206 then read_number end)
            over ({{ of_blob }} {{ after }}) as next_range_number,
        min(case when served_bytes > 0 then read_number end)
            over ({{ of_blob }} {{ after }}) as next_delivery_number
    from ordered

),

counted as (

    select
        *,
        case
            when size_bytes > 0
                then 1 + {{ integer_divide('bytes_before', 'size_bytes') }}
            else 1
        end as delivery_number,
        -- 416: the client asked for more of a blob that it has already
        (status_code >= 400 and status_code != 416) or (
            status_code = 200
            and served_bytes < size_bytes
            and next_range_number is null
        ) as is_failure
    from measured

)

select
    request_key,
    session_id,
    client_tool,
    client_version,
    digest,
    blob_kind,
    served_bytes,
    read_number,
    next_delivery_number,
    delivery_number,
    coalesce(is_failure, false) as is_failure,
    coalesce(blob_kind = 'config' and read_number = min(
        case when served_bytes > 0 then read_number end
    ) over (partition by session_id, digest, delivery_number), false) as is_config_delivery,
    started_micros,
    burst_started_micros,
    session_date
from counted
