{%- set restated = restate_by_day(
    'activity_date', follows=[ref('int_blob_reads_sessionized')],
    cluster_by=['bucket_name', 'digest'],
) %}
with

blob_reads as (

    select * from {{ ref('int_blob_reads_sessionized') }}
    where {{ is_restated('session_date', restated) }}

),

blobs_of_sessions as (

    select
        session_id,
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
    group by session_id, digest

),

sized as (

    select
        *,
        -- of what is small: sorts as time and digest do, and ends in the bytes
        case
            when served_bytes between 1 and {{ var('config_max_bytes') }} then
                {{ sortable_micros('first_read_micros') }}
                || digest
                || {{ sortable_micros('served_bytes') }}
        end as read_order
    from blobs_of_sessions

),

sessions as (

    select
        session_id,
        {{ count_if('served_bytes > 0') }} as blob_count,
        min(read_order) as first_order,
        max(read_order) as last_order
    from sized
    group by session_id

),

-- clients fetch an image's config before its layers, or after them: session after session the
-- position in which a blob is read, among those small enough for a config, tells them apart
placed as (

    select
        sized.*,
        sized.served_bytes > 0
        and sessions.blob_count > 1
        and client_tools.config_position is not null as has_informative_position,
        coalesce(sized.read_order = case
            when client_tools.config_position = 'first' then sessions.first_order
            when client_tools.config_position = 'last' then sessions.last_order
            when right(sessions.first_order, 18) <= right(sessions.last_order, 18)
                then sessions.first_order
            else sessions.last_order
        end, false) as is_at_config_position
    from sized
    inner join sessions on sized.session_id = sessions.session_id
    left join {{ ref('client_tools') }} as client_tools on sized.client_tool = client_tools.tool

)

select
    bucket_name,
    digest,
    image,
    {{ count_if('served_bytes > 0') }} as session_count,
    {{ count_if('has_informative_position') }} as sessions_with_position_count,
    {{ count_if('has_informative_position and is_at_config_position') }}
        as sessions_at_config_position_count,
    {{ sum_of('served_bytes') }} as served_bytes,
    max(max_complete_response_bytes) as max_complete_response_bytes,
    min(first_read_micros) as first_read_micros,
    max(last_read_micros) as last_read_micros,
    activity_date
from placed
group by bucket_name, digest, image, activity_date
