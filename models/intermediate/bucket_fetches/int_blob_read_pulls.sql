{{ config(
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['session_id'],
    meta={'restates': {'gcs_usage': [-1, 1], 'blobs': [0, 0]}},
) }}
{%- set restated = restated_days() %}
{%- set in_session = 'partition by session_id order by read_number' %}
{%- set of_blob = 'partition by session_id, digest order by read_number' %}
{%- set before = 'rows between unbounded preceding and 1 preceding' %}
{%- set so_far = 'rows between unbounded preceding and current row' %}
{%- set after = 'rows between 1 following and unbounded following' %}
{%- set kept_columns = [
    'request_key', 'session_id', 'client_id', 'client_network', 'client_tool', 'client_version',
    'traffic_class', 'bucket_name', 'image', 'digest', 'blob_kind', 'blob_kind_source',
    'blob_image', 'config_only_read', 'layers_only_read', 'status_code', 'served_bytes',
    'size_bytes', 'is_kind_certain', 'is_read_by_pullers', 'reads_configs', 'reads_cache',
    'reads_twice', 'started_micros', 'ended_micros', 'session_date',
] %}
{%- set together_micros = var('index_read_seconds') * 1000000 %}
with

blob_reads as (

    select * from {{ ref('pullstats', 'int_blob_reads') }}
    where {{ is_restated('session_date', restated) }}

),

blobs as (

    select * from {{ ref('pullstats', 'int_blobs') }}

),

client_tools as (

    select * from {{ ref('pullstats', 'client_tools') }}

),

described as (

    select
        blob_reads.request_key,
        blob_reads.session_id,
        blob_reads.client_id,
        blob_reads.client_network,
        blob_reads.client_tool,
        blob_reads.client_version,
        blob_reads.traffic_class,
        blob_reads.bucket_name,
        blob_reads.image,
        blob_reads.digest,
        coalesce(blobs.blob_kind, 'unknown') as blob_kind,
        blobs.blob_kind_source,
        blobs.image as blob_image,
        coalesce(client_tools.config_only_read, 'inspection') as config_only_read,
        coalesce(client_tools.layers_only_read, 'pull') as layers_only_read,
        coalesce(client_tools.index_read, 'one_platform') as index_read,
        blob_reads.status_code,
        blob_reads.served_bytes,
        blobs.size_bytes,
        coalesce(blobs.is_kind_certain, false) as is_kind_certain,
        coalesce(blobs.is_read_by_pullers, true) as is_read_by_pullers,
        coalesce(client_tools.config_position != 'unknown', false) as reads_configs,
        coalesce(client_tools.reads_cache, false) as reads_cache,
        coalesce(client_tools.reads_twice, false) as reads_twice,
        coalesce(
            {{ version_part('blob_reads.client_version', 1) }}
            >= cast(nullif(client_tools.attestations_since, 'never') as int64),
            false
        ) as reads_attestations,
        blob_reads.started_micros,
        blob_reads.ended_micros,
        blob_reads.burst_started_micros,
        blob_reads.session_started_micros,
        blob_reads.session_date
    from blob_reads
    left join blobs
        on
            blob_reads.bucket_name = blobs.bucket_name
            and blob_reads.digest = blobs.digest
    left join client_tools on blob_reads.client_tool = client_tools.tool

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
multi_pull_candidates as (

    select session_id
    from blobs_of_sessions
    group by session_id
    having max(read_count) > 1 or sum(config_count) > 1

),

ordered as (

    select
        described.*,
        -- equal times are ordered by what was read, not by keys
        row_number() over (
            partition by described.session_id
            order by
                described.started_micros,
                described.served_bytes,
                described.ended_micros,
                described.digest,
                described.request_key
        ) as read_number
    from described
    inner join multi_pull_candidates
        on described.session_id = multi_pull_candidates.session_id

),

-- 5a. deliveries: ranges, chunks and resumed transfers of a blob are one
measured as (

    select
        *,
        cast(least(
            coalesce({{ wide_sum('served_bytes') }} over ({{ of_blob }} {{ before }}), 0),
            {{ 2 ** 63 - 1 }}
        ) as int64) as bytes_before,
        min(case when status_code = 206 then read_number end)
            over ({{ of_blob }} {{ after }}) as next_range_number,
        min(case when served_bytes > 0 then read_number end)
            over ({{ of_blob }} {{ after }}) as next_delivery_number
    from ordered

),

delivered as (

    select
        *,
        case
            when size_bytes > 0
                then 1 + {{ integer_divide('bytes_before', 'size_bytes') }}
            else 1
        end as delivery_number,
        -- 416: the client asked for more of a blob that it has already
        coalesce((status_code >= 400 and status_code != 416) or (
            status_code = 200
            and served_bytes < size_bytes
            and next_range_number is null
        ), false) as is_failure
    from measured

),

with_delivery_starts as (

    select
        *,
        coalesce(read_number = min(case when served_bytes > 0 then read_number end) over (
            partition by session_id, digest, delivery_number
        ), false) as is_delivery_start
    from delivered

),

with_config_deliveries as (

    select
        *,
        blob_kind = 'config' and is_delivery_start as is_config_delivery
    from with_delivery_starts

),

surrounded as (

    select
        *,
        max(case when is_config_delivery then read_number end)
            over ({{ in_session }} {{ before }}) as previous_config_number,
        max(case when served_bytes >= {{ var('config_min_bytes') }} then read_number end)
            over ({{ in_session }} {{ before }}) as previous_delivery_number,
        max(case when is_config_delivery then started_micros end)
            over ({{ in_session }} {{ before }}) as previous_config_micros,
        max(case when is_delivery_start then started_micros end)
            over ({{ of_blob }} {{ before }}) as same_blob_micros,
        min(case when is_config_delivery then read_number end)
            over ({{ in_session }} {{ after }}) as next_config_number,
        sum(case when is_config_delivery then 1 else 0 end) over (partition by session_id)
            as config_deliveries,
        min(case when is_config_delivery then digest end) over (partition by session_id)
        = max(case when is_config_delivery then digest end) over (partition by session_id)
            as has_one_config,
        max(case when served_bytes > 0 then delivery_number end)
            over (partition by session_id, digest) as blob_deliveries
    from with_config_deliveries

),

-- 5b. failures that were never made good: the config behind one begins the same pull again. If a
-- blob was served as often as the one config, its failures were made good, behind configs of other
-- nodes
failures as (

    select
        *,
        case
            when
                is_failure
                and coalesce(next_delivery_number > next_config_number, true)
                and next_config_number is not null
                and not coalesce(has_one_config and blob_deliveries >= config_deliveries, false)
                then 1
            else 0
        end as failure_count,
        reads_twice
        and is_delivery_start
        and coalesce(started_micros - same_blob_micros <= {{ together_micros }}, false)
            as is_read_again
    from surrounded

),

attempts as (

    select
        *,
        sum(failure_count) over ({{ in_session }} {{ so_far }}) as failures_so_far,
        sum(case when is_read_again then 1 else 0 end) over ({{ of_blob }} {{ so_far }})
            as read_again_count
    from failures

),

retries as (

    select
        *,
        is_config_delivery and failures_so_far > max(
            case when is_config_delivery then failures_so_far end
        ) over ({{ in_session }} {{ before }}) as is_retry
    from attempts

),

-- 5c. each delivery of a config starts a pull, with three exceptions
starts as (

    select
        *,
        case
            when not is_config_delivery then 'no_config'
            when is_retry then 'retry'
            -- the configs of an index, or of an image and its attestation, come right after each
            -- other; oras mixes the blobs of all platforms
            when
                (previous_config_number = previous_delivery_number or index_read = 'mixed')
                and (index_read != 'one_platform' or reads_attestations)
                and same_blob_micros is null
                and started_micros - previous_config_micros <= {{ together_micros }}
                then 'same_index'
            when is_read_again then 'read_twice'
            else 'start'
        end as start_rule
    from retries

),

counted as (

    select
        *,
        case when start_rule = 'start' then 1 else 0 end as start_count,
        sum(case when start_rule = 'start' then 1 else 0 end) over (partition by session_id)
            as starts_of_session,
        sum(case when start_rule = 'start' then 1 else 0 end) over ({{ in_session }} {{ so_far }})
            as starts_so_far,
        min(case when start_rule = 'start' then digest end) over (partition by session_id)
        = max(case when start_rule = 'start' then digest end) over (partition by session_id)
            as starts_one_build,
        min(case when is_config_delivery then read_number end) over (partition by session_id)
        = min(case when served_bytes > 0 then read_number end) over (partition by session_id)
            as is_config_first
    from starts

),

-- 5d. the pull that a read belongs to
numbered as (

    select
        *,
        case
            when starts_of_session = 0 then delivery_number - read_again_count
            when starts_of_session <= 1 then 1
            when starts_one_build
                then least(delivery_number - read_again_count, starts_of_session)
            when is_config_first then greatest(starts_so_far, 1)
            else least(starts_so_far + 1 - start_count, starts_of_session)
        end as pull_number
    from counted

),

pulls as (

    select
        session_id,
        pull_number,
        any_value(index_read) as index_read,
        count(*) as read_count,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(delivery_number) as delivery_count,
        min(burst_started_micros) as first_burst_micros,
        max(burst_started_micros) as last_burst_micros
    from numbered
    group by session_id, pull_number

),

-- 5e. the images of an index, copied one after the other, have equally many blobs of much the same
-- size; tags of a repository share layers, which are read once
index_copies as (

    select session_id
    from pulls
    where index_read = 'in_turn'
    group by session_id
    having
        count(*) > 1
        and min(read_count) > 1
        and min(read_count) = max(read_count)
        and max(served_bytes) * 4 <= min(served_bytes) * 5
        and max(delivery_count) = 1
        and min(first_burst_micros) = max(last_burst_micros)

),

merged as (

    select
        {%- for column in kept_columns %}
        numbered.{{ column }},
        {%- endfor %}
        case when index_copies.session_id is not null then 1 else numbered.pull_number end
            as pull_number
    from numbered
    left join index_copies on numbered.session_id = index_copies.session_id

),

reads_of_pulls as (

    select
        {{ kept_columns | join(', ') }},
        1 as pull_number,
        session_started_micros as pull_started_micros,
        true as is_plain_session
    from described
    where session_id not in (select multi_pull_candidates.session_id from multi_pull_candidates)
    union all
    select
        {{ kept_columns | join(', ') }},
        pull_number,
        min(started_micros) over (partition by session_id, pull_number) as pull_started_micros,
        false as is_plain_session
    from merged

)

select * from reads_of_pulls
