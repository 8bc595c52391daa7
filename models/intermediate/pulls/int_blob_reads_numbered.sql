{%- set restated = restate_by_day(
    'session_date', follows=[ref('int_blob_deliveries')],
    cluster_by=['session_id'],
) %}
{%- set in_session = 'partition by session_id order by read_number' %}
{%- set of_blob = 'partition by session_id, digest order by read_number' %}
{%- set before = 'rows between unbounded preceding and 1 preceding' %}
{%- set so_far = 'rows between unbounded preceding and current row' %}
{%- set after = 'rows between 1 following and unbounded following' %}
with

blob_deliveries as (

    select * from {{ ref('int_blob_deliveries') }}
    where {{ is_restated('session_date', restated) }}

),

surrounded as (

    select
        *,
        max(case when blob_kind = 'config' then started_micros end)
            over ({{ in_session }} {{ before }}) as config_before_micros,
        min(case when blob_kind = 'config' then started_micros end)
            over ({{ of_blob }} {{ before }}) as same_config_before_micros,
        min(case when is_config_delivery then read_number end)
            over ({{ in_session }} {{ after }}) as next_config_number
    from blob_deliveries

),

-- failures that were never made good: the config behind one begins the same pull again
failures as (

    select
        *,
        case
            when
                is_failure
                and coalesce(next_delivery_number > next_config_number, true)
                and next_config_number is not null
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

-- each delivery of a config starts a pull, but for a retry and for the other configs of an index
starts as (

    select
        retries.*,
        case
            when not retries.is_config_delivery or retries.is_retry then 0
            when
                client_tools.reads_index = 'true'
                and retries.same_config_before_micros is null
                and retries.started_micros - retries.config_before_micros
                <= {{ var('index_read_seconds') }} * 1000000
                then 0
            else 1
        end as start_count
    from retries
    left join {{ ref('client_tools') }} as client_tools
        on retries.client_tool = client_tools.tool

),

summed as (

    select
        *,
        sum(start_count) over (partition by session_id) as starts_of_session,
        sum(start_count) over ({{ in_session }} {{ so_far }}) as starts_so_far,
        min(case when start_count = 1 then digest end) over (partition by session_id)
        = max(case when start_count = 1 then digest end) over (partition by session_id)
            as has_one_build,
        min(case when is_config_delivery then read_number end) over (partition by session_id)
        = min(case when served_bytes > 0 then read_number end) over (partition by session_id)
            as is_config_first,
        min(digest) over (partition by session_id) != max(digest) over (partition by session_id)
            as has_several_blobs
    from starts

)

select
    request_key,
    session_id,
    case
        when starts_of_session = 0 and has_several_blobs then delivery_number
        when starts_of_session <= 1 then 1
        when has_one_build then least(delivery_number, starts_of_session)
        when is_config_first then greatest(starts_so_far, 1)
        else least(starts_so_far + 1 - start_count, starts_of_session)
    end as pull_number,
    session_date
from summed
