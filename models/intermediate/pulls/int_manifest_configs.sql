{{ config(
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['image'],
    meta={'restates': {'cloud_audit': [-2, 2]}},
) }}
{%- set restated = restated_days() %}
with

contents as (

    select * from {{ ref('pullstats', 'int_manifest_contents_read') }}
    where {{ is_restated('session_date', restated, before=1, after=1) }}

),

-- programs that pull ask for the config first, but the answers may overtake one another
votes as (

    select
        contents.image,
        coalesce(contents.only_child_digest, contents.root_digest) as manifest_digest,
        contents.first_blob_digest,
        contents.session_date,
        count(*) as vote_count
    from contents
    inner join {{ ref('pullstats', 'client_tools') }} as tools on contents.client_tool = tools.tool
    where
        contents.blob_count > 1
        and not contents.is_shared
        and contents.root_digest != ''
        and (contents.child_read_count is null or contents.only_child_digest is not null)
        and tools.config_position = 'first'
        and tools.config_only_read = 'pull'
    group by
        contents.image,
        coalesce(contents.only_child_digest, contents.root_digest),
        contents.first_blob_digest,
        contents.session_date

),

pulled as (

    select distinct
        image,
        manifest_digest,
        session_date
    from votes
    where {{ is_restated('session_date', restated) }}

),

tallies as (

    select
        pulled.image,
        pulled.manifest_digest,
        pulled.session_date,
        votes.first_blob_digest,
        sum(votes.vote_count) as vote_count
    from pulled
    inner join votes
        on
            pulled.image = votes.image
            and pulled.manifest_digest = votes.manifest_digest
            and votes.session_date between
            {{ dbt.dateadd('day', -1, 'pulled.session_date') }}
            and {{ dbt.dateadd('day', 1, 'pulled.session_date') }}
    group by
        pulled.image, pulled.manifest_digest, pulled.session_date, votes.first_blob_digest

),

compared as (

    select
        *,
        lead(vote_count) over (
            partition by image, manifest_digest, session_date
            order by vote_count desc, first_blob_digest asc
        ) as next_vote_count,
        row_number() over (
            partition by image, manifest_digest, session_date
            order by vote_count desc, first_blob_digest asc
        ) as place
    from tallies

)

select
    image,
    manifest_digest,
    first_blob_digest as config_digest,
    session_date
from compared
where
    place = 1
    and vote_count >= 2 + coalesce(next_vote_count, 0)
