{{ config(
    enabled='gcs_usage' in logs(),
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['bucket_name', 'image'],
    meta={'restates': {'gcs_usage': [-1, 1]}},
) }}
{%- set restated = restated_days() %}
with

requests as {{ materialized_cte(false) }}

    select * from {{ ref('pullstats', 'int_gcs_requests') }}
    where {{ is_restated('event_date', restated, before=1, after=1) }}

),

reads as (

    select
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
        {{ ended_micros('started_micros', 'duration_micros') }} as ended_micros
    from requests
    where
        operation = 'read'
        and object_kind = 'blob'

),

sessions as (

    {{ sessionize(
        'reads',
        of=['client_id', 'bucket_name', 'image'],
        gap_seconds=var('pull_session_gap_seconds')
    ) }}

),

numbered as (

    select
        session_id,
        client_id,
        client_network,
        client_tool,
        client_version,
        traffic_class,
        bucket_name,
        image,
        digest,
        status_code,
        served_bytes,
        started_micros,
        ended_micros,
        burst_started_micros,
        cast({{ micros_to_timestamp('session_started_micros') }} as date) as session_date
    from sessions

)

select * from numbered
where {{ is_restated('session_date', restated) }}
