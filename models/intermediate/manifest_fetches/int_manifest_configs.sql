{{ config(enabled='cloud_audit' in logs()) }}
with

votes as (

    select
        manifest_digest,
        config_digest,
        {{ sum_of("case when vote in ('written', 'alone', 'empty') then vote_count end") }}
            as conclusive_count,
        -- one read by a program that waits for the config shows as much as three of others
        {{ sum_of("case vote when 'first' then vote_count when 'waited' then 3 * vote_count end") }}
            as first_read_count,
        {{ count_if("vote = 'written'") }} > 0
        or coalesce(
            config_digest is not null and min(least_network) != max(greatest_network), false
        ) as is_supported,
        min(vote_date) as first_vote_date
    from {{ ref('pullstats', 'int_manifest_config_votes_daily') }}
    group by manifest_digest, config_digest

),

-- reads of one network do not count against a write, or against reads of several networks
counted as (

    select *
    from votes
    qualify
        is_supported
        or config_digest is null
        or not max(is_supported) over (partition by manifest_digest)

),

compared as (

    select
        *,
        row_number() over (
            partition by manifest_digest order by first_read_count desc, config_digest asc
        ) = 1 as is_read_first_most,
        lead(first_read_count) over (
            partition by manifest_digest order by first_read_count desc, config_digest asc
        ) as next_first_read_count
    from counted

),

-- downloads overtake one another, so one read before all others decides nothing
inferred as (

    select
        manifest_digest,
        coalesce(max(conclusive_count), 0) > 0
        or max(first_read_count) >= greatest(3, sum(first_read_count) * 0.75) as is_certain,
        case
            when max(conclusive_count) > 0
                then {{ sole_value('case when conclusive_count > 0 then config_digest end') }}
            else max(case
                when
                    is_read_first_most
                    and first_read_count >= 2 + coalesce(next_first_read_count, 0)
                    then config_digest
            end)
        end as config_digest,
        min(first_vote_date) as first_vote_date
    from compared
    group by manifest_digest

),

listed as (

    select
        manifest_digest,
        {{ sole_value('config_digest') }} as config_digest
    from {{ ref('pullstats', 'stg_registry_inventory__manifests') }}
    group by manifest_digest

),

found as (

    select
        manifest_digest,
        coalesce(listed.config_digest, inferred.config_digest) as config_digest,
        case
            when listed.config_digest is not null then 'inventory'
            when inferred.config_digest is not null then 'inferred'
            else 'none'
        end as config_source,
        listed.config_digest is not null
        or inferred.config_digest is not null and inferred.is_certain as is_config_certain,
        inferred.first_vote_date
    from inferred
    full outer join listed using (manifest_digest)

),

-- the empty config is no image's
known as (

    select
        manifest_digest,
        nullif(config_digest, {{ empty_config() }}) as config_digest,
        case when {{ is_empty_config('config_digest') }} then 'none' else config_source end
            as config_source,
        is_config_certain,
        coalesce({{ is_empty_config('config_digest') }}, false) as is_artifact,
        first_vote_date
    from found

)

{{ with_change_times('known', key=['manifest_digest'], compare_columns={
    'changed_at': ['config_digest', 'config_source', 'is_config_certain', 'is_artifact'],
}) }}
