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

placed as (

    {{ config_positions('blobs_of_sessions') }}

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
