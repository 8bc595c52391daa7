{%- set restated = restate_by_day(
    'session_date', follows=[ref('int_gcs_requests')], before=1, after=1,
    cluster_by=['bucket_name', 'image'],
) %}
with

requests as (

    select * from {{ ref('int_gcs_requests') }}
    where {{ is_restated('event_date', restated, before=1, after=1) }}

),

reads as (

    select
        request_key,
        client_id,
        client_network,
        client_tool,
        client_version,
        traffic_class,
        bucket_name,
        image,
        digest,
        status_code,
        case when status_code in (200, 206) then response_bytes else 0 end as served_bytes,
        started_micros,
        {{ ended_micros('started_micros', 'duration_micros') }} as ended_micros,
        {{ midnight_micros('started_micros') }} as midnight_micros,
        {{ fingerprint(['client_id', 'bucket_name', 'image']) }} as client_and_image
    from requests
    where
        operation = 'read'
        and object_kind = 'blob'

),

-- sorting these five columns and joining takes half the time of sorting all
read_times as (

    select
        request_key,
        client_and_image,
        started_micros,
        ended_micros,
        midnight_micros
    from reads

),

sessions as (

    {{ sessionize(
        'read_times',
        of=['client_and_image'],
        gap_seconds=var('pull_session_gap_seconds')
    ) }}

),

numbered as (

    select
        reads.request_key,
        {{ hash_of([
            'reads.client_id', 'reads.bucket_name', 'reads.image', 'sessions.session_started_micros',
        ]) }} as session_id,
        reads.client_id,
        reads.client_network,
        reads.client_tool,
        reads.client_version,
        reads.traffic_class,
        reads.bucket_name,
        reads.image,
        reads.digest,
        reads.status_code,
        reads.served_bytes,
        reads.started_micros,
        reads.ended_micros,
        sessions.burst_started_micros,
        cast({{ micros_to_timestamp('sessions.session_started_micros') }} as date) as session_date
    from reads
    inner join sessions on reads.request_key = sessions.request_key

)

select * from numbered
where {{ is_restated('session_date', restated) }}
