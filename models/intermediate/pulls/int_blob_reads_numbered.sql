{{ config(
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['session_id'],
    meta={'restates': {'gcs_usage': [-1, 1], 'blobs': [0, 0]}},
) }}
{%- set restated = restated_days() %}
with

pull_starts as (

    select * from {{ ref('pullstats', 'int_pull_starts') }}
    where {{ is_restated('session_date', restated) }}

),

counted as (

    select
        *,
        case when is_start then 1 else 0 end as start_count,
        sum(case when is_start then 1 else 0 end) over (partition by session_id)
            as starts_of_session,
        sum(case when is_start then 1 else 0 end) over (
            partition by session_id order by read_number
            rows between unbounded preceding and current row
        ) as starts_so_far,
        min(case when is_start then digest end) over (partition by session_id)
        = max(case when is_start then digest end) over (partition by session_id)
            as has_one_build,
        min(case when is_config_delivery then read_number end) over (partition by session_id)
        = min(case when served_bytes > 0 then read_number end) over (partition by session_id)
            as is_config_first
    from pull_starts

),

numbered as (

    select
        *,
        case
            when starts_of_session = 0 then delivery_number
            when starts_of_session <= 1 then 1
            when has_one_build then least(delivery_number, starts_of_session)
            when is_config_first then greatest(starts_so_far, 1)
            else least(starts_so_far + 1 - start_count, starts_of_session)
        end as pull_number
    from counted

),

pulls as (

    select
        session_id,
        pull_number,
        any_value(client_tool) as client_tool,
        count(*) as read_count,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(delivery_number) as delivery_count,
        min(burst_started_micros) as first_burst_micros,
        max(burst_started_micros) as last_burst_micros
    from numbered
    group by session_id, pull_number

),

-- the images of an index, copied one after the other, have equally many blobs of much the same
-- size; tags of a repository share layers, which are read once
index_copies as (

    select pulls.session_id
    from pulls
    inner join {{ ref('pullstats', 'client_tools') }} as client_tools
        on pulls.client_tool = client_tools.tool
    where client_tools.index_read = 'in_turn'
    group by pulls.session_id
    having
        count(*) > 1
        and min(pulls.read_count) > 1
        and min(pulls.read_count) = max(pulls.read_count)
        and max(pulls.served_bytes) * 4 <= min(pulls.served_bytes) * 5
        and max(pulls.delivery_count) = 1
        and min(pulls.first_burst_micros) = max(pulls.last_burst_micros)

)

select
    numbered.request_key,
    numbered.session_id,
    case when index_copies.session_id is not null then 1 else numbered.pull_number end
        as pull_number,
    numbered.session_date
from numbered
left join index_copies on numbered.session_id = index_copies.session_id
