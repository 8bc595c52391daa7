{{ config(
    materialized='incremental',
    partition_by=partition_by_day('event_date'),
    cluster_by=['log_hour'],
    pre_hook="{{ clear_restated_days('event_date') }}",
    post_hook="{{ record_build() }}",
) }}
{%- set restated = days_to_restate(parents=['int_requests_received']) %}
{{ restatement_note(restated) }}
with

received as (

    select * from {{ ref('int_requests_received') }}
    where {{ is_restated('event_date', restated) }}

)

select
    count(*) as received_rows,
    {{ count_if('is_redelivery') }} as redelivered_rows,
    event_date,
    {{ micros_to_timestamp('started_micros - mod(started_micros, 3600000000)') }} as log_hour,
    loaded_at
from received
group by log_hour, event_date, loaded_at
