{{ config(
    enabled='cloud_audit' in logs(),
    materialized='incremental',
    incremental_strategy=update_strategy(),
    unique_key='principal_id',
    meta={'restates': {'cloud_audit': [0, 0]}},
) }}
{%- set restated = restated_days() %}
with

requests as (

    select * from {{ ref('pullstats', 'int_artifact_registry_requests') }}
    where
        principal_id is not null
        and package_format = 'docker'
        and {{ is_restated('event_date', restated) }}

),

seen as (

    select
        principal_id,
        any_value(principal_kind) as principal_kind,
        {{ micros_to_timestamp('min(started_micros)') }} as first_seen_at,
        {{ micros_to_timestamp('max(started_micros)') }} as last_seen_at
    from requests
    group by principal_id

)

select
    seen.principal_id,
    seen.principal_kind,
    {% if is_incremental() -%}
    least(seen.first_seen_at, coalesce(before.first_seen_at, seen.first_seen_at))
        as first_seen_at,
    greatest(seen.last_seen_at, coalesce(before.last_seen_at, seen.last_seen_at))
        as last_seen_at
from seen
left join {{ this }} as before on seen.principal_id = before.principal_id
{%- else -%}
    seen.first_seen_at,
    seen.last_seen_at
from seen
{%- endif %}
