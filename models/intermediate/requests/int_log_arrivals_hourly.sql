{{ config(
    materialized='incremental',
    unique_key='event_date',
    partition_by=by_day('event_date'),
    cluster_by=['log_hour'],
    meta={'restates': {'gcs_usage': [0, 0], 'cloud_audit': [0, 0]}},
) }}
{%- set restated = restated_days() %}
with

received as (

    {%- for log_source, (_, records) in logs().items() %}
    {{ 'union all' if not loop.first }}
    select
        '{{ log_source }}' as log_source,
        is_redelivery,
        started_micros,
        event_date,
        loaded_at
    from {{ ref('pullstats', records) }}
    where {{ is_restated('event_date', restated) }}
    {%- endfor %}

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
