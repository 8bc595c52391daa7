{{ config(enabled='gcs_usage' in logs()) }}
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
        {{ sum_of('image_burst_count') }} as image_burst_count,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(max_complete_response_bytes) as max_complete_response_bytes,
        min(first_read_micros) as first_read_micros,
        max(last_read_micros) as last_read_micros
    from votes
    group by bucket_name, digest

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
        coalesce(
            {{ sole_value('case when is_named_by_referer then image end') }},
            {{ sole_value('image') }}
        ) as image,
        max(inventory_blob_kind) as inventory_blob_kind,
        max(inventory_size_bytes) as inventory_size_bytes
    from {{ ref('pullstats', 'int_blob_images') }}
    group by bucket_name, digest

),

blobs as (

    select
        bucket_name,
        digest,
        coalesce(images.image_count, 0) as image_count,
        images.image,
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

-- a read of a part gives no evidence
whole_votes as (

    select votes.*
    from votes
    inner join blobs using (bucket_name, digest)
    where
        votes.vote != 'none'
        and coalesce(votes.max_burst_bytes >= blobs.size_bytes, true)

),

{%- for votes, tallies, kinds in [
    ('whole_votes', 'first_tallies', 'first_kinds'), ('confirmed_votes', 'tallies', 'kinds')
] %}
{%- if votes == 'confirmed_votes' %}

-- a burst whose config is not one, by all votes or by its size, gives no evidence about other
-- blobs
confirmed_votes as (

    select whole_votes.*
    from whole_votes
    left join first_kinds
        on
            whole_votes.bucket_name = first_kinds.bucket_name
            and whole_votes.elected_digest = first_kinds.digest
    where coalesce(first_kinds.blob_kind, 'config') = 'config'

),
{%- endif %}

-- votes of one network do not count against those of several
{{ tallies }}_by_vote as (

    select
        bucket_name,
        digest,
        vote,
        {{ sum_of('millivotes') }} as millivotes,
        {{ sum_of('burst_count') }} as burst_count,
        {{ count_if("vote_rule != 'among_small_blobs'") }} > 0 as is_strong,
        {{ count_if("vote_rule != 'at_either_end'") }} > 0 as is_of_known_order,
        coalesce(min(least_network) != max(greatest_network), false) as is_of_several_networks
    from {{ votes }}
    group by bucket_name, digest, vote
    qualify
        is_of_several_networks
        or max(case when is_of_several_networks and vote != 'open' then 1 else 0 end)
            over (partition by bucket_name, digest) = 0

),

{{ tallies }} as (

    select
        bucket_name,
        digest,
        {%- for vote in ['config', 'layer', 'artifact', 'open'] %}
        {{ sum_of("case when vote = '" ~ vote ~ "' then millivotes else 0 end") }}
            as {{ vote }}_votes,
        {%- endfor %}
        {{ sum_of("case when vote = 'config' then burst_count else 0 end") }} as config_bursts,
        {{ count_if("vote = 'config' and is_strong") }} > 0 as is_strong_config,
        {{ count_if("vote = 'config' and is_of_known_order") }} > 0 as is_config_of_known_order
    from {{ tallies }}_by_vote
    group by bucket_name, digest

),

-- on the examples a config is at its position in nine of ten bursts, a layer in none or a third:
-- reads from a second address, and resumed reads, begin with a layer
{{ kinds }} as (

    select
        blobs.bucket_name,
        blobs.digest,
        coalesce(tallies.config_votes, 0) as config_votes,
        coalesce(tallies.layer_votes, 0) as layer_votes,
        case
            when blobs.inventory_blob_kind is not null then blobs.inventory_blob_kind
            when
                coalesce(tallies.config_votes + tallies.layer_votes + tallies.artifact_votes, 0) = 0
                then 'unknown'
            when tallies.artifact_votes >= tallies.config_votes + tallies.layer_votes
                then 'artifact'
            when
                tallies.config_votes * 100 <= (tallies.config_votes + tallies.layer_votes)
                * case when blobs.size_bytes > {{ usual }} then 50 else 40 end
                then 'layer'
            when blobs.size_bytes > {{ var('config_max_bytes') }} then 'layer'
            when blobs.size_bytes > 4 * {{ usual }} and tallies.config_bursts < 3 then 'layer'
            when
                tallies.config_bursts < 2
                and (blobs.size_bytes > {{ usual }} or not tallies.is_strong_config)
                then 'unknown'
            when tallies.config_votes < tallies.open_votes then 'unknown'
            else 'config'
        end as blob_kind,
        coalesce(
            tallies.config_bursts >= 2
            and tallies.is_config_of_known_order
            and coalesce(blobs.size_bytes >= {{ var('config_min_bytes') }}, true)
            and tallies.config_votes * 4
            >= (tallies.config_votes + tallies.layer_votes + tallies.open_votes) * 3,
            false
        ) as is_config_certain
    from blobs
    left join {{ tallies }} as tallies using (bucket_name, digest)

),
{%- endfor %}

-- a burst that shows a config as a layer has read several images
configs_among_others as (

    select distinct
        confirmed_votes.bucket_name,
        confirmed_votes.elected_digest
    from confirmed_votes
    inner join kinds using (bucket_name, digest)
    where
        confirmed_votes.vote = 'layer'
        and kinds.blob_kind = 'config'

),

layers_of_several_configs as (

    select
        confirmed_votes.bucket_name,
        confirmed_votes.digest
    from confirmed_votes
    left join configs_among_others as others using (bucket_name, elected_digest)
    group by confirmed_votes.bucket_name, confirmed_votes.digest
    having
        {{ count_if("confirmed_votes.vote = 'config'") }} = 0
        and count(distinct case
            when others.elected_digest is null then confirmed_votes.elected_digest
        end) > 1

),

-- of each vote, the rule that gave most of it
vote_rules as (

    select
        bucket_name,
        digest,
        vote,
        vote_rule
    from confirmed_votes
    group by bucket_name, digest, vote, vote_rule
    qualify row_number() over (
        partition by bucket_name, digest, vote order by sum(burst_count) desc, vote_rule asc
    ) = 1

),

explained as (

    select
        blobs.*,
        kinds.config_votes,
        kinds.layer_votes,
        kinds.blob_kind,
        case
            when blobs.inventory_blob_kind is not null then 'inventory'
            when kinds.blob_kind = 'unknown' then 'none'
            else 'inferred'
        end as blob_kind_source,
        case when blobs.inventory_blob_kind is null then vote_rules.vote_rule end
            as blob_kind_rule,
        -- a blob that is never read apart from one config can be that of a second image
        case
            when blobs.inventory_blob_kind is not null then true
            when kinds.blob_kind = 'config' then kinds.is_config_certain
            when blobs.size_bytes between {{ var('config_min_bytes') }} and 4 * {{ usual }}
                then layers_of_several_configs.digest is not null
            else coalesce(kinds.blob_kind = 'layer' and blobs.size_bytes > 0, false)
        end as is_kind_certain
    from blobs
    inner join kinds using (bucket_name, digest)
    left join layers_of_several_configs using (bucket_name, digest)
    left join vote_rules
        on
            kinds.bucket_name = vote_rules.bucket_name
            and kinds.digest = vote_rules.digest
            and kinds.blob_kind = vote_rules.vote

)

{{ with_change_times('explained', key=['bucket_name', 'digest'], compare_columns={
    'changed_at': [
        'size_bytes', 'blob_kind', 'blob_kind_source', 'is_kind_certain', 'is_read_by_pullers',
    ],
    'kind_changed_at': ['blob_kind'],
    'image_changed_at': ['image'],
}, former_columns={'former_blob_kind': 'blob_kind', 'former_image': 'image'}) }}
