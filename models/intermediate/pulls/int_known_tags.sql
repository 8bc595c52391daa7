{{ config(materialized='view') }}
with

manifests as (

    select * from {{ ref('pullstats', 'int_listed_manifests') }}

),

tagged as (

    select
        tags.image,
        tags.tag,
        coalesce(platform_manifests.manifest_digest, tags.manifest_digest) as manifest_digest,
        coalesce(platform_manifests.config_digest, tags.config_digest) as config_digest,
        coalesce(platform_manifests.platform, tags.platform) as platform,
        platform_manifests.index_digest,
        tags.listed_at
    from manifests as tags
    left join manifests as platform_manifests
        on
            tags.image = platform_manifests.image
            and tags.manifest_digest = platform_manifests.index_digest
    where
        tags.tag is not null
        and not {{ is_referrer_tag('tags.tag') }}

),

-- an index lists an attestation as an image of the platform unknown/unknown
listed as (

    select distinct
        image,
        tag,
        platform,
        index_digest,
        manifest_digest,
        config_digest,
        listed_at
    from tagged
    where coalesce(platform, '') != 'unknown/unknown'

),

-- only audit logs show tags
requests as (

    {%- if 'cloud_audit' in logs() %}
    select * from {{ ref('pullstats', 'int_image_tag_requests') }}
    {%- else %}
    select
        image,
        tag,
        manifest_digest as current_digest,
        cast(null as int64) as pulls,
        cast(null as int64) as checks,
        cast(null as int64) as last_requested_micros,
        cast(null as int64) as last_pushed_micros
    from listed
    limit 0
    {%- endif %}

)

-- what the inventory doesn't list, clients may have asked for or pushed
select
    coalesce(listed.image, requests.image) as image,
    coalesce(listed.tag, requests.tag) as tag,
    listed.platform,
    listed.index_digest,
    coalesce(listed.manifest_digest, requests.current_digest) as manifest_digest,
    listed.config_digest as image_id,
    requests.pulls as tag_pulls,
    requests.checks,
    listed.listed_at,
    {{ micros_to_timestamp('requests.last_pushed_micros') }} as last_pushed_at,
    {{ micros_to_timestamp('requests.last_requested_micros') }} as last_requested_at
from listed
full outer join requests
    on
        listed.image = requests.image
        and listed.tag = requests.tag
