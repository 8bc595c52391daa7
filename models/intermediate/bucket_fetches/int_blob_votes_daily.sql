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

    select
        *,
        {{ fingerprint(['session_date', 'client_network', 'bucket_name', 'digest']) }} as ballot_key
    from {{ ref('pullstats', 'int_burst_votes') }}
    where {{ is_restated('session_date', restated) }}

),

votes_of_networks as (

    select
        ballot_key,
        client_network,
        bucket_name,
        digest,
        image,
        vote,
        vote_rule,
        elected_digest,
        {{ count_if('served_bytes > 0') }} as burst_count,
        {{ count_if('served_bytes > 0 and not reads_cache') }} as image_burst_count,
        {{ count_if("vote != 'none'") }} as voting_burst_count,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(max_complete_response_bytes) as max_complete_response_bytes,
        max(blob_bytes) as max_burst_bytes,
        min(first_read_micros) as first_read_micros,
        max(last_read_micros) as last_read_micros,
        session_date
    from burst_votes
    group by
        ballot_key, client_network, bucket_name, digest, image, vote, vote_rule, elected_digest,
        session_date

),

ballots as (

    select
        ballot_key,
        nullif({{ sum_of('voting_burst_count') }}, 0) as voting_burst_count
    from votes_of_networks
    group by ballot_key

),

-- a network has one vote on a blob a day, however many its bursts
shared as (

    select
        votes_of_networks.*,
        coalesce({{ integer_divide(
            'votes_of_networks.voting_burst_count * 1000', 'ballots.voting_burst_count'
        ) }}, 0) as millivotes
    from votes_of_networks
    inner join ballots on votes_of_networks.ballot_key = ballots.ballot_key

)

select
    bucket_name,
    digest,
    image,
    vote,
    vote_rule,
    elected_digest,
    min(client_network) as least_network,
    max(client_network) as greatest_network,
    {{ sum_of('burst_count') }} as burst_count,
    {{ sum_of('image_burst_count') }} as image_burst_count,
    {{ sum_of('millivotes') }} as millivotes,
    {{ sum_of('served_bytes') }} as served_bytes,
    max(max_complete_response_bytes) as max_complete_response_bytes,
    max(max_burst_bytes) as max_burst_bytes,
    min(first_read_micros) as first_read_micros,
    max(last_read_micros) as last_read_micros,
    session_date as activity_date
from shared
group by bucket_name, digest, image, vote, vote_rule, elected_digest, session_date
