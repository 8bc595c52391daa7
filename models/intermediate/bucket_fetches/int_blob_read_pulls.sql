{{ config(
    enabled='gcs_usage' in logs(),
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['session_id'],
    meta={'restates': {'gcs_usage': [-1, 1], 'blobs': [0, 0]}},
) }}
{%- set restated = restated_days('int_changed_days') %}
{%- set in_session = 'partition by session_id order by read_number' %}
{%- set of_blob = 'partition by session_id, digest order by read_number' %}
{%- set before = 'rows between unbounded preceding and 1 preceding' %}
{%- set so_far = 'rows between unbounded preceding and current row' %}
{%- set after = 'rows between 1 following and unbounded following' %}
{%- set together_micros = var('index_read_seconds') * 1000000 %}
with

blob_reads as {{ materialized_cte(false) }}

    select * from {{ ref('pullstats', 'int_blob_reads') }}
    where {{ is_restated('session_date', restated) }}

),

blobs as (

    select * from {{ ref('pullstats', 'int_blobs') }}

),

client_tools as (

    select * from {{ ref('pullstats', 'client_tools') }}

),

-- all other sessions are one pull each
sessions as (

    select session_id
    from blob_reads
    group by session_id, digest
    having count(*) > 1
    union distinct
    select blob_reads.session_id
    from blob_reads
    inner join blobs using (bucket_name, digest)
    where blobs.blob_kind = 'config'
    group by blob_reads.session_id
    having count(distinct blob_reads.digest) > 1

),

reads as (

    select
        blob_reads.*,
        coalesce(blobs.blob_kind = 'config', false) as is_config,
        blobs.size_bytes,
        client_tools.index_read,
        client_tools.reads_twice,
        -- equal times are ordered by what was read, not by keys
        row_number() over (
            partition by blob_reads.session_id
            order by
                blob_reads.started_micros,
                blob_reads.served_bytes,
                blob_reads.ended_micros,
                blob_reads.digest,
                coalesce(blob_reads.status_code, 0)
        ) as read_number
    from blob_reads
    inner join sessions on blob_reads.session_id = sessions.session_id
    left join blobs using (bucket_name, digest)
    left join client_tools on blob_reads.client_tool = client_tools.tool

),

-- 5a. ranges, chunks and resumed transfers of a blob are one delivery of it
served as (

    select
        *,
        cast(least(
            coalesce({{ wide_sum('served_bytes') }} over ({{ of_blob }} {{ before }}), 0),
            {{ 2 ** 63 - 1 }}
        ) as int64) as bytes_before,
        min(case when status_code = 206 then read_number end)
            over ({{ of_blob }} {{ after }}) as next_range_number,
        min(case when served_bytes > 0 then read_number end)
            over ({{ of_blob }} {{ after }}) as next_served_number
    from reads

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
    from served

),

delivery_starts as (

    select
        *,
        coalesce(
            min(case when served_bytes > 0 then read_number end)
                over (partition by session_id, digest, delivery_number),
            -- a config that was refused every time
            case
                when is_config and delivery_number = 1
                    then min(read_number) over (partition by session_id, digest)
            end
        ) as delivery_start_number
    from delivered

),

deliveries as (

    select
        *,
        coalesce(read_number = delivery_start_number, false) as is_delivery_start,
        coalesce(is_config and read_number = delivery_start_number, false) as is_config_delivery
    from delivery_starts

),

among_deliveries as (

    select
        *,
        max(case when is_config_delivery then read_number end)
            over ({{ in_session }} {{ before }}) as previous_config_number,
        max(case when is_config_delivery then started_micros end)
            over ({{ in_session }} {{ before }}) as previous_config_micros,
        min(case when is_config_delivery then read_number end)
            over ({{ in_session }} {{ after }}) as next_config_number,
        max(case when served_bytes >= {{ var('config_min_bytes') }} then read_number end)
            over ({{ in_session }} {{ before }}) as previous_blob_number,
        max(case when is_delivery_start then started_micros end)
            over ({{ of_blob }} {{ before }}) as same_blob_micros,
        max(case when served_bytes > 0 then delivery_number end)
            over (partition by session_id, digest) as deliveries_of_blob,
        sum(case when is_config_delivery then 1 else 0 end)
            over (partition by session_id) as deliveries_of_configs,
        min(case when is_config_delivery then digest end) over (partition by session_id)
        = max(case when is_config_delivery then digest end) over (partition by session_id)
            as has_one_config
    from deliveries

),

-- 5b. failures that no later read repairs: the config behind one begins the same pull again. If a
-- blob was served as often as the one config, its failures were repaired behind configs of other
-- nodes
failures as (

    select
        *,
        case
            when
                is_failure
                and not is_config
                and next_config_number is not null
                and coalesce(next_served_number > next_config_number, true)
                and not coalesce(
                    has_one_config and deliveries_of_blob >= deliveries_of_configs, false
                )
                then 1
            else 0
        end as failure_count,
        case
            when
                reads_twice
                and is_delivery_start
                and started_micros - same_blob_micros <= {{ together_micros }}
                then 1
            else 0
        end as second_read_count
    from among_deliveries

),

attempts as (

    select
        *,
        sum(failure_count) over ({{ in_session }} {{ so_far }}) as failures_so_far,
        sum(second_read_count) over ({{ of_blob }} {{ so_far }}) as second_reads_so_far
    from failures

),

retries as (

    select
        *,
        max(case when is_config_delivery then failures_so_far end)
            over ({{ in_session }} {{ before }}) as failures_before_previous_config
    from attempts

),

-- 5c. each delivery of a config starts a pull, with three exceptions
starts as (

    select
        *,
        case
            when not is_config_delivery then 0
            when failures_so_far > failures_before_previous_config then 0
            -- the configs of an index come right after each other; oras mixes the blobs of all
            -- platforms
            when
                (previous_config_number = previous_blob_number or index_read = 'mixed')
                and index_read != 'one_platform'
                and same_blob_micros is null
                and started_micros - previous_config_micros <= {{ together_micros }}
                then 0
            else 1 - second_read_count
        end as start_count
    from retries

),

counted as (

    select
        *,
        sum(start_count) over (partition by session_id) as starts_of_session,
        sum(start_count) over ({{ in_session }} {{ so_far }}) as starts_so_far,
        min(case when start_count = 1 then digest end) over (partition by session_id)
        = max(case when start_count = 1 then digest end) over (partition by session_id)
            as starts_one_build,
        min(case when is_config_delivery then read_number end) over (partition by session_id)
        = min(case when is_delivery_start then read_number end) over (partition by session_id)
            as is_config_first
    from starts

),

-- 5d. the pull that a read belongs to
numbered as (

    select
        *,
        cast(case
            when starts_of_session = 0 then delivery_number - second_reads_so_far
            when starts_of_session = 1 then 1
            when starts_one_build
                then least(delivery_number - second_reads_so_far, starts_of_session)
            when is_config_first then greatest(starts_so_far, 1)
            else least(starts_so_far + 1 - start_count, starts_of_session)
        end as int64) as pull_number
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
        and min(read_count) = max(read_count)
        -- sums of a log are not multiplied: they may be the largest integer
        and max(served_bytes) - min(served_bytes)
        <= {{ integer_divide('min(served_bytes)', 4) }}
        and max(delivery_count) = 1
        and min(first_burst_micros) = max(last_burst_micros)

)

select
    numbered.session_id,
    numbered.digest,
    numbered.client_id,
    numbered.client_network,
    numbered.client_tool,
    numbered.client_version,
    numbered.traffic_class,
    numbered.bucket_name,
    numbered.image,
    numbered.read_number,
    numbered.status_code,
    numbered.served_bytes,
    case when index_copies.session_id is null then numbered.pull_number else 1 end as pull_number,
    numbered.started_micros,
    numbered.ended_micros,
    numbered.session_date
from numbered
left join index_copies on numbered.session_id = index_copies.session_id
