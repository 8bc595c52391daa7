{{ config(
    materialized='incremental',
    partition_by=partition_by_day('run_date'),
    cluster_by=['bucket_name', 'image_path'],
    pre_hook="{{ clear_restated_days('run_date') }}",
    post_hook="{{ record_build() }}",
) }}
{%- set restated = days_to_restate(parents=['int_requests_received'], before=1, after=1) %}
{{ restatement_note(restated) }}
with

requests as (

    select * from {{ ref('int_requests') }}
    where {{ is_restated('event_date', restated, before=1, after=1) }}

),

reads as (

    select
        record_key,
        client_id,
        client_network,
        client_tool,
        client_version,
        traffic_class,
        bucket_name,
        registry_host,
        case when registry_host is not null then image_path end as image_path,
        digest,
        status_code,
        case when status_code in (200, 206) then response_bytes else 0 end as delivered_bytes,
        started_micros,
        {{ ended_micros('started_micros', 'duration_micros') }} as ended_micros,
        {{ midnight_micros('started_micros') }} as midnight_micros,
        {{ fingerprint(['client_id', 'bucket_name', 'registry_host', 'image_path']) }}
            as client_and_image
    from requests
    where
        operation = 'read'
        and object_kind = 'blob'

),

-- sorting these five columns and joining takes half the time of sorting all
moments as (

    select
        record_key,
        client_and_image,
        started_micros,
        ended_micros,
        midnight_micros
    from reads

),

runs as (

    {{ runs('moments', of=['client_and_image'], gap_seconds=var('pull_gap_minutes') * 60) }}

),

numbered as (

    select
        reads.record_key,
        {{ hash_of([
            'reads.client_id', 'reads.bucket_name', 'reads.registry_host', 'reads.image_path',
            'runs.run_started_micros',
        ]) }} as run_id,
        reads.client_id,
        reads.client_network,
        reads.client_tool,
        reads.client_version,
        reads.traffic_class,
        reads.bucket_name,
        reads.registry_host,
        reads.image_path,
        reads.digest,
        reads.status_code,
        reads.delivered_bytes,
        reads.started_micros,
        reads.ended_micros,
        cast({{ micros_to_timestamp('runs.run_started_micros') }} as date) as run_date
    from reads
    inner join runs on reads.record_key = runs.record_key

)

select * from numbered
where {{ is_restated('run_date', restated) }}
