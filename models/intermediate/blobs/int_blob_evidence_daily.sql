{%- set restated = restate_by_day(
    'activity_date', follows=[ref('int_blob_reads_sessionized')],
    cluster_by=['bucket_name', 'digest'],
) %}
with

blob_reads as (

    select * from {{ ref('int_blob_reads_sessionized') }}
    where {{ is_restated('session_date', restated) }}

),

blobs_of_bursts as (

    select
        session_id,
        burst_started_micros,
        digest,
        any_value(session_date) as activity_date,
        any_value(client_tool) as client_tool,
        any_value(bucket_name) as bucket_name,
        any_value(image) as image,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(case when status_code = 200 then served_bytes end) as max_complete_response_bytes,
        min(case when served_bytes > 0 then started_micros end) as first_read_micros,
        max(case when served_bytes > 0 then started_micros end) as last_read_micros
    from blob_reads
    group by session_id, burst_started_micros, digest

),

sized as (

    select
        *,
        case
            when
                served_bytes
                between {{ var('config_min_bytes') }} and {{ var('config_max_bytes') }}
                then served_bytes
        end as small_bytes,
        lag(served_bytes) over (
            partition by session_id, burst_started_micros order by first_read_micros, digest
        ) as bytes_before
    from blobs_of_bursts

),

compared as (

    select
        *,
        -- sorts as time and digest do, and ends in the bytes
        {{ sortable_micros('first_read_micros') }}
        || digest
        || {{ sortable_micros('small_bytes') }} as read_order,
        min(small_bytes) over (partition by session_id, burst_started_micros)
            as smallest_bytes
    from sized

),

-- the configs of several builds are alike in size, and layers much larger lie between them
alike as (

    select
        *,
        small_bytes * 10 <= smallest_bytes * 11 as is_like_smallest,
        small_bytes * 10 > smallest_bytes * 11 and small_bytes <= smallest_bytes * 4
            as is_of_middle_size,
        bytes_before <= smallest_bytes * 4 as is_behind_small
    from compared

),

bursts as (

    select
        session_id,
        burst_started_micros,
        {{ count_if('served_bytes > 0') }} as blob_count,
        min(read_order) as first_order,
        max(read_order) as last_order,
        {{ count_if('is_like_smallest') }} > 1
        and {{ count_if('is_of_middle_size') }} = 0
        and (
            {{ count_if('is_like_smallest and is_behind_small') }} = 0
            or {{ count_if('served_bytes > 0 and not coalesce(is_like_smallest, false)') }} = 0
        ) as has_many_configs
    from alike
    group by session_id, burst_started_micros

),

-- clients fetch an image's config before its layers, or after them: burst after burst the position
-- in which a blob is read, among those small enough for a config, tells them apart
placed as (

    select
        alike.*,
        alike.served_bytes > 0
        and bursts.blob_count > 1
        and (client_tools.config_position is not null or bursts.has_many_configs)
            as has_informative_position,
        alike.small_bytes is not null and bursts.blob_count = 1 as is_read_alone,
        case
            when bursts.has_many_configs then coalesce(alike.is_like_smallest, false)
            else coalesce(alike.read_order = case
                when client_tools.config_position = 'first' then bursts.first_order
                when client_tools.config_position = 'last' then bursts.last_order
                when right(bursts.first_order, 18) <= right(bursts.last_order, 18)
                    then bursts.first_order
                else bursts.last_order
            end, false)
        end as is_at_config_position
    from alike
    inner join bursts
        on
            alike.session_id = bursts.session_id
            and alike.burst_started_micros = bursts.burst_started_micros
    left join {{ ref('client_tools') }} as client_tools on alike.client_tool = client_tools.tool

)

select
    bucket_name,
    digest,
    image,
    {{ count_if('served_bytes > 0') }} as session_count,
    {{ count_if('has_informative_position') }} as sessions_with_position_count,
    {{ count_if('has_informative_position and is_at_config_position') }}
        as sessions_at_config_position_count,
    {{ count_if('is_read_alone') }} as sessions_alone_count,
    {{ sum_of('served_bytes') }} as served_bytes,
    max(max_complete_response_bytes) as max_complete_response_bytes,
    min(first_read_micros) as first_read_micros,
    max(last_read_micros) as last_read_micros,
    activity_date
from placed
group by bucket_name, digest, image, activity_date
