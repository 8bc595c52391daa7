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

runs as (

    {{ runs('reads', of=['client_and_image'], gap_seconds=var('pull_gap_minutes') * 60) }}

),

numbered as (

    select
        record_key,
        {{ hash_of([
            'client_id', 'bucket_name', 'registry_host', 'image_path', 'run_started_micros'
        ]) }} as run_id,
        client_id,
        client_network,
        client_tool,
        client_version,
        traffic_class,
        bucket_name,
        registry_host,
        image_path,
        digest,
        status_code,
        delivered_bytes,
        started_micros,
        ended_micros,
        cast({{ micros_to_timestamp('run_started_micros') }} as date) as run_date
    from runs

)

select * from numbered
where {{ is_restated('run_date', restated) }}
