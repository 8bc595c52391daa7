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
with

blob_deliveries as (

    select * from {{ ref('pullstats', 'int_blob_deliveries') }}
    where {{ is_restated('session_date', restated) }}

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
        max(case when is_config_delivery then started_micros end)
            over ({{ of_blob }} {{ before }}) as same_config_micros,
        min(case when is_config_delivery then read_number end)
            over ({{ in_session }} {{ after }}) as next_config_number,
        sum(case when is_config_delivery then 1 else 0 end) over (partition by session_id)
            as config_deliveries,
        min(case when is_config_delivery then digest end) over (partition by session_id)
        = max(case when is_config_delivery then digest end) over (partition by session_id)
            as has_one_config,
        max(case when served_bytes > 0 then delivery_number end)
            over (partition by session_id, digest) as blob_deliveries
    from blob_deliveries

),

-- failures that were never made good: the config behind one begins the same pull again. If a blob
-- was served as often as the one config, its failures were made good, behind configs of other nodes
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
        end as failure_count
    from surrounded

),

attempts as (

    select
        *,
        sum(failure_count) over ({{ in_session }} {{ so_far }}) as failures_so_far
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

-- each delivery of a config starts a pull, with three exceptions
starts as (

    select
        retries.*,
        case
            when not retries.is_config_delivery then 'no config'
            when retries.is_retry then 'retry'
            -- the configs of an index, or of an image and its attestation, come right after each
            -- other; oras mixes the blobs of all platforms
            when
                (
                    retries.previous_config_number = retries.previous_delivery_number
                    or client_tools.index_read = 'mixed'
                )
                and (
                    client_tools.index_read != 'one_platform'
                    or {{ version_part('retries.client_version', 1) }}
                    >= cast(nullif(client_tools.attestations_since, 'never') as int64)
                )
                and retries.same_config_micros is null
                and retries.started_micros - retries.previous_config_micros
                <= {{ var('index_read_seconds') }} * 1000000
                then 'companion'
            when
                client_tools.reads_twice = 'true'
                and retries.started_micros - retries.same_config_micros
                <= {{ var('index_read_seconds') }} * 1000000
                then 'repetition'
            else 'start'
        end as role
    from retries
    left join {{ ref('pullstats', 'client_tools') }} as client_tools
        on retries.client_tool = client_tools.tool

)

select
    request_key,
    session_id,
    client_tool,
    digest,
    served_bytes,
    read_number,
    delivery_number,
    is_config_delivery,
    role = 'start' as is_start,
    burst_started_micros,
    session_date
from starts
