{{ config(
    materialized='incremental',
    partition_by=partition_by_day('event_date'),
    cluster_by=['log_hour'],
    pre_hook="{{ delete_restated_days('event_date') }}",
    post_hook="{{ record_build() }}",
) }}
{%- set restated = days_to_restate(parents=['int_gcs_request_records']) %}
{{ restatement_comment(restated) }}
with

gcs_records as (

    select * from {{ ref('int_gcs_request_records') }}
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
