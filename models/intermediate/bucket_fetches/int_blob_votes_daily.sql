{{ config(
    materialized='incremental',
    unique_key='activity_date',
    partition_by=by_day('activity_date'),
    cluster_by=['bucket_name', 'digest'],
    meta={'restates': {'gcs_usage': [-1, 1]}},
) }}
{%- set restated = restated_days() %}
with

burst_votes as (

    select * from {{ ref('pullstats', 'int_burst_votes') }}
    where {{ is_restated('session_date', restated) }}

)

select
    bucket_name,
    digest,
    image,
    vote,
    vote_rule,
    elected_digest,
    {{ count_if('served_bytes > 0') }} as burst_count,
    {{ count_if('served_bytes > 0 and not reads_cache') }} as image_burst_count,
    {{ sum_of('served_bytes') }} as served_bytes,
    max(max_complete_response_bytes) as max_complete_response_bytes,
    min(first_read_micros) as first_read_micros,
    max(last_read_micros) as last_read_micros,
    session_date as activity_date
from burst_votes
group by bucket_name, digest, image, vote, vote_rule, elected_digest, session_date
