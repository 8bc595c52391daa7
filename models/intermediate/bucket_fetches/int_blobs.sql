{{ config(
    meta={'restates': {}},
    post_hook="{{ add_days_of_changed_blobs(ref('pullstats', 'int_blob_votes_daily')) }}",
) }}
{%- set usual = var('config_usual_bytes') %}
with

votes as (

    select * from {{ ref('pullstats', 'int_blob_votes_monthly') }}
    where bucket_name is not null

),

reads as (

    select
        bucket_name,
        digest,
        {{ sum_of("case when vote = 'config' then burst_count else 0 end") }} as config_votes,
        {{ sum_of("case when vote_rule = 'among_small_blobs' then burst_count else 0 end") }}
            as weak_votes,
        {{ sum_of("case when vote = 'layer' then burst_count else 0 end") }} as layer_votes,
        {{ sum_of("case when vote = 'artifact' then burst_count else 0 end") }} as artifact_votes,
        {{ sum_of("case when vote_rule = 'tiny_blob_first' then burst_count else 0 end") }}
            as open_votes,
        {{ sum_of('image_burst_count') }} as image_burst_count,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(max_complete_response_bytes) as max_complete_response_bytes,
        min(first_read_micros) as first_read_micros,
        max(last_read_micros) as last_read_micros
    from votes
    group by bucket_name, digest

),

-- of each vote, the rule that gave most of them
vote_rules as (

    select
        bucket_name,
        digest,
        vote,
        vote_rule,
        row_number() over (
            partition by bucket_name, digest, vote
            order by sum(burst_count) desc, vote_rule asc
        ) as place
    from votes
    where vote != 'none'
    group by bucket_name, digest, vote, vote_rule

),

writes as (

    select
        bucket_name,
        digest,
        max(written_bytes) as written_bytes,
        min(written_micros) as first_written_micros
    from {{ ref('pullstats', 'int_object_writes') }}
    where
        object_kind = 'blob'
        and bucket_name is not null
    group by bucket_name, digest

),

images as (

    select
        bucket_name,
        digest,
        count(*) as image_count,
        {{ sole_image_column('image') }} as image,
        max(inventory_blob_kind) as inventory_blob_kind,
        max(inventory_size_bytes) as inventory_size_bytes
    from {{ ref('pullstats', 'int_blob_images') }}
    group by bucket_name, digest

),

joined as (

    select
        bucket_name,
        digest,
        coalesce(images.image_count, 0) as image_count,
        images.image,
        coalesce(reads.config_votes, 0) as config_votes,
        coalesce(reads.weak_votes, 0) as weak_votes,
        coalesce(reads.layer_votes, 0) as layer_votes,
        coalesce(reads.artifact_votes, 0) as artifact_votes,
        coalesce(reads.open_votes, 0) as open_votes,
        coalesce(reads.served_bytes, 0) as served_bytes,
        coalesce(
            images.inventory_size_bytes,
            reads.max_complete_response_bytes,
            writes.written_bytes
        ) as size_bytes,
        writes.first_written_micros,
        reads.first_read_micros,
        reads.last_read_micros,
        images.inventory_blob_kind,
        coalesce(reads.image_burst_count, 0) > 0 as is_read_by_pullers
    from reads
    full outer join writes using (bucket_name, digest)
    full outer join images using (bucket_name, digest)

),

-- on the examples a config is at its position in nine of ten bursts, a layer in none or a third:
-- what came by a second address, or was resumed, begins with a layer
with_needed_votes as (

    select
        *,
        case
            when size_bytes > 4 * {{ usual }} then 3
            when size_bytes > {{ usual }} then 2
            when config_votes = weak_votes then 2
            else 1
        end as needed_votes,
        case when size_bytes > {{ usual }} then 50 else 40 end as needed_percent
    from joined

),

elected as (

    select
        *,
        coalesce(inventory_blob_kind = 'config', (
            config_votes >= needed_votes
            and config_votes * 100 > (config_votes + layer_votes) * needed_percent
            and config_votes > artifact_votes
            and config_votes >= open_votes
        )) as is_accepted_config
    from with_needed_votes

),

-- a burst whose config is no config, by all bursts or by its size, shows nothing of its other
-- blobs
refuted as (

    select
        votes.bucket_name,
        votes.digest,
        {{ sum_of('votes.burst_count') }} as refuted_votes
    from votes
    inner join elected
        on
            votes.bucket_name = elected.bucket_name
            and votes.elected_digest = elected.digest
    where
        votes.vote = 'layer'
        and not elected.is_accepted_config
    group by votes.bucket_name, votes.digest

),

confirmed as (

    select
        elected.bucket_name,
        elected.digest,
        elected.image_count,
        elected.image,
        elected.config_votes,
        elected.layer_votes - coalesce(refuted.refuted_votes, 0) as layer_votes,
        elected.artifact_votes,
        elected.open_votes,
        elected.needed_votes,
        elected.needed_percent,
        elected.served_bytes,
        elected.size_bytes,
        elected.first_written_micros,
        elected.first_read_micros,
        elected.last_read_micros,
        elected.inventory_blob_kind,
        elected.is_read_by_pullers
    from elected
    left join refuted
        on
            elected.bucket_name = refuted.bucket_name
            and elected.digest = refuted.digest

),

known as (

    select
        *,
        case
            when inventory_blob_kind is not null then inventory_blob_kind
            when config_votes + layer_votes + artifact_votes = 0 then 'unknown'
            when artifact_votes >= config_votes + layer_votes then 'artifact'
            when config_votes * 100 <= (config_votes + layer_votes) * needed_percent then 'layer'
            when size_bytes > {{ var('config_max_bytes') }} then 'layer'
            when config_votes < needed_votes and size_bytes > 4 * {{ usual }} then 'layer'
            when config_votes < needed_votes or config_votes < open_votes then 'unknown'
            else 'config'
        end as blob_kind,
        case
            when inventory_blob_kind is not null then 'inventory'
            when config_votes + layer_votes + artifact_votes > 0 then 'inferred'
            else 'none'
        end as blob_kind_source,
        inventory_blob_kind is not null
        or (
            config_votes >= 2
            and config_votes * 4 >= (config_votes + layer_votes + open_votes) * 3
        ) as is_kind_certain
    from confirmed

),

explained as (

    select
        known.*,
        case when known.blob_kind_source = 'inferred' then vote_rules.vote_rule end
            as blob_kind_rule
    from known
    left join vote_rules
        on
            known.bucket_name = vote_rules.bucket_name
            and known.digest = vote_rules.digest
            and known.blob_kind = vote_rules.vote
            and vote_rules.place = 1

)

{{ with_change_times('explained', key=['bucket_name', 'digest'], compare_columns={
    'changed_at': [
        'size_bytes', 'blob_kind', 'blob_kind_source', 'is_kind_certain', 'is_read_by_pullers',
    ],
    'image_changed_at': ['image'],
}) }}
