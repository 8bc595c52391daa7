{{ config(
    enabled='gcs_usage' in logs(),
    materialized='incremental',
    unique_key='activity_date',
    partition_by=by_day('activity_date'),
    cluster_by=['bucket_name', 'digest'],
    meta={'restates': {'gcs_usage': [-1, 1]}},
) }}
{%- set restated = restated_days() %}
with

burst_votes as {{ materialized_cte(false) }}

    select
        *,
        served_bytes > 0 and not reads_cache as is_image_burst,
        {{ fingerprint(['session_date', 'client_network', 'bucket_name', 'digest']) }} as ballot_key
    from {{ ref('pullstats', 'int_burst_votes') }}
    where {{ is_restated('session_date', restated) }}

),

-- a network has one vote on a blob a day, which its bursts share
ballots as (

    select
        ballot_key,
        {{ integer_divide(10 ** 9, 'count(*)') }} as nanovotes
    from burst_votes
    where vote != 'none'
    group by ballot_key

)

select
    burst_votes.bucket_name,
    burst_votes.digest,
    burst_votes.image,
    burst_votes.vote,
    burst_votes.vote_rule,
    burst_votes.elected_digest,
    min(burst_votes.client_network) as least_network,
    max(burst_votes.client_network) as greatest_network,
    {{ count_if('burst_votes.served_bytes > 0') }} as burst_count,
    {{ count_if('burst_votes.is_image_burst') }} as image_burst_count,
    -- rounded: the shares of three bursts are one vote
    {{ integer_divide(
        sum_of("case when burst_votes.vote != 'none' then ballots.nanovotes else 0 end")
        ~ ' + 500000',
        1000000
    ) }} as millivotes,
    {{ sum_of('burst_votes.served_bytes') }} as served_bytes,
    max(burst_votes.max_complete_response_bytes) as max_complete_response_bytes,
    max(burst_votes.blob_bytes) as max_burst_bytes,
    min(burst_votes.first_read_micros) as first_read_micros,
    max(burst_votes.last_read_micros) as last_read_micros,
    burst_votes.session_date as activity_date
from burst_votes
left join ballots on burst_votes.ballot_key = ballots.ballot_key
group by
    burst_votes.bucket_name, burst_votes.digest, burst_votes.image, burst_votes.vote,
    burst_votes.vote_rule, burst_votes.elected_digest, burst_votes.session_date
