{{ config(
    enabled='gcs_usage' in logs(),
    materialized='incremental',
    unique_key='activity_month',
    partition_by=by_day('activity_month'),
    cluster_by=['bucket_name', 'digest'],
    meta={'restates': {'gcs_usage': [-1, 1]}},
) }}
{%- set restated = restated_days() %}
with

votes as (

    select
        *,
        {{ month_of('activity_date') }} as activity_month
    from {{ ref('pullstats', 'int_blob_votes_daily') }}
    where
        {{ is_in_restated_month('activity_date', restated) }}
        -- a client can request a blob that doesn't exist
        and burst_count > 0

)

select
    bucket_name,
    digest,
    image,
    vote,
    vote_rule,
    elected_digest,
    min(least_network) as least_network,
    max(greatest_network) as greatest_network,
    {{ sum_of('burst_count') }} as burst_count,
    {{ sum_of('image_burst_count') }} as image_burst_count,
    {{ sum_of('millivotes') }} as millivotes,
    {{ sum_of('served_bytes') }} as served_bytes,
    max(max_complete_response_bytes) as max_complete_response_bytes,
    max(max_burst_bytes) as max_burst_bytes,
    min(first_read_micros) as first_read_micros,
    max(last_read_micros) as last_read_micros,
    activity_month
from votes
group by bucket_name, digest, image, vote, vote_rule, elected_digest, activity_month
