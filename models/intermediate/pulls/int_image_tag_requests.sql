{{ config(enabled='cloud_audit' in logs(), materialized='view') }}
with

uses as (

    select
        image,
        tag,
        coalesce(index_digest, manifest_digest) as digest,
        pulls,
        checks,
        last_used_micros
    from {{ ref('pullstats', 'int_image_uses_daily') }}
    where
        tag is not null
        -- signatures and attestations are requested with what they are of
        and not {{ is_referrer_tag('tag') }}

),

pushes as (

    select
        image,
        tag,
        manifest_digest as digest,
        ended_micros
    from {{ ref('pullstats', 'int_artifact_registry_image_pushes') }}
    where
        tag is not null
        and not {{ is_referrer_tag('tag') }}

),

-- the newest response or push shows which manifest the tag names
named as (

    select
        image,
        tag,
        digest,
        last_used_micros as named_micros
    from uses
    union all
    select
        image,
        tag,
        digest,
        ended_micros as named_micros
    from pushes

),

current_digests as (

    select
        image,
        tag,
        digest
    from named
    qualify row_number() over (
        partition by image, tag order by named_micros desc, digest desc
    ) = 1

),

requested as (

    select
        image,
        tag,
        {{ sum_of('pulls') }} as pulls,
        {{ sum_of('checks') }} as checks,
        max(last_used_micros) as last_requested_micros
    from uses
    group by image, tag

),

pushed as (

    select
        image,
        tag,
        max(ended_micros) as last_pushed_micros
    from pushes
    group by image, tag

)

select
    current_digests.image,
    current_digests.tag,
    current_digests.digest as current_digest,
    coalesce(requested.pulls, 0) as pulls,
    coalesce(requested.checks, 0) as checks,
    requested.last_requested_micros,
    pushed.last_pushed_micros
from current_digests
left join requested
    on
        current_digests.image = requested.image
        and current_digests.tag = requested.tag
left join pushed
    on
        current_digests.image = pushed.image
        and current_digests.tag = pushed.tag
