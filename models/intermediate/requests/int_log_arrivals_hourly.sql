{{ config(
    materialized='incremental',
    unique_key='event_date',
    partition_by=by_day('event_date'),
    cluster_by=['log_hour'],
    meta={'restates': {'gcs_usage': [0, 0], 'cloud_audit': [0, 0]}},
) }}
{%- set restated = restated_days() %}
with

gcs_records as (

    select * from {{ ref('pullstats', 'int_gcs_request_records') }}
    where {{ is_restated('event_date', restated) }}

),

artifact_registry_records as (

    select * from {{ ref('pullstats', 'int_artifact_registry_request_records') }}
    where {{ is_restated('event_date', restated) }}

),

received as (

    select
        'gcs_usage' as log_source,
        is_redelivery,
        started_micros,
        event_date,
        loaded_at
    from gcs_records
    union all
    select
        'cloud_audit' as log_source,
        is_redelivery,
        started_micros,
        event_date,
        loaded_at
    from artifact_registry_records

)

select
    log_source,
    count(*) as received_rows,
    {{ count_if('is_redelivery') }} as redelivered_rows,
    event_date,
    {{ micros_to_timestamp('started_micros - mod(started_micros, 3600000000)') }} as log_hour,
    loaded_at
from received
group by log_source, log_hour, event_date, loaded_at
