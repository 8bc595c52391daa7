with

known as (

    select * from {{ ref('pullstats', 'int_known_tags') }}

),

sizes as (

    select
        image,
        manifest_digest,
        {{ sum_of('size_bytes') }} as size_bytes
    from {{ ref('pullstats', 'stg_registry_inventory__manifest_blobs') }}
    group by image, manifest_digest

),

builds as (

    select
        image,
        image_id,
        index_digest,
        manifest_digest,
        {{ sum_of('pulls') }} as pulls,
        max(last_pulled_at) as last_pulled_at,
        max(last_attempted_at) as last_attempted_at
    from {{ ref('pullstats', 'fct_image_builds_monthly') }}
    group by image, image_id, index_digest, manifest_digest

),

-- a build that matches a tag by several digests counts once
pulled as (

    select
        image,
        tag,
        platform,
        manifest_digest,
        {{ sum_of('pulls') }} as pulls,
        max(last_pulled_at) as last_pulled_at,
        max(last_attempted_at) as last_attempted_at
    from (
        {%- for of_tag, of_build in [
            ('image_id', 'image_id'),
            ('manifest_digest', 'manifest_digest'),
            ('manifest_digest', 'index_digest'),
        ] %}
        select
            known.image,
            known.tag,
            known.platform,
            known.manifest_digest,
            builds.image_id,
            builds.index_digest,
            builds.manifest_digest as build_manifest_digest,
            builds.pulls,
            builds.last_pulled_at,
            builds.last_attempted_at
        from known
        inner join builds
            on known.image = builds.image and known.{{ of_tag }} = builds.{{ of_build }}
        {{ 'union distinct' if not loop.last }}
        {%- endfor %}
    ) as matched
    group by image, tag, platform, manifest_digest

),

-- a use names its build by one digest or several
used_digests as (

    select
        image,
        digest,
        {{ micros_to_timestamp('max(last_used_micros)') }} as last_used_at
    from (
        {%- for digest in ['image_id', 'index_digest', 'manifest_digest'] %}
        select
            image,
            {{ digest }} as digest,
            last_used_micros
        from {{ ref('pullstats', 'int_image_uses_daily') }}
        where {{ digest }} is not null
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as uses
    group by image, digest

),

-- a bucket's log shows when the config of a build was pushed
written as (

    {%- if 'gcs_usage' in logs() %}
    select
        digest,
        {{ micros_to_timestamp('max(written_micros)') }} as written_at
    from {{ ref('pullstats', 'int_object_writes') }}
    where object_kind = 'blob'
    group by digest
    {%- else %}
    select
        cast(null as string) as digest,
        cast(null as timestamp) as written_at
    limit 0
    {%- endif %}

)

select
    known.image,
    images.registry_host,
    images.project_id,
    images.image_name,
    known.tag,
    known.platform,
    known.manifest_digest,
    known.image_id,
    sizes.size_bytes as image_bytes,
    case when known.manifest_digest is not null then coalesce(pulled.pulls, 0) end as build_pulls,
    known.tag_pulls,
    known.checks,
    known.listed_at,
    known.last_pushed_at,
    pulled.last_pulled_at,
    known.last_requested_at,
    project_days.later_covered_days as unused_days
from known
left join {{ ref('pullstats', 'int_images') }} as images on known.image = images.image
left join {{ ref('pullstats', 'dim_projects') }} as projects
    on
        images.registry_host = projects.registry_host
        and coalesce(images.project_id, '') = coalesce(projects.project_id, '')
left join sizes
    on
        known.image = sizes.image
        and known.manifest_digest = sizes.manifest_digest
left join pulled
    on
        known.image = pulled.image
        and known.tag = pulled.tag
        and coalesce(known.platform, '') = coalesce(pulled.platform, '')
        and coalesce(known.manifest_digest, '') = coalesce(pulled.manifest_digest, '')
left join used_digests as used_configs
    on
        known.image = used_configs.image
        and known.image_id = used_configs.digest
left join used_digests as used_indexes
    on
        known.image = used_indexes.image
        and known.index_digest = used_indexes.digest
left join used_digests as used_manifests
    on
        known.image = used_manifests.image
        and known.manifest_digest = used_manifests.digest
left join written on known.image_id = written.digest
left join {{ ref('pullstats', 'fct_project_days') }} as project_days
    on
        projects.registry_host = project_days.registry_host
        and coalesce(projects.project_id, '') = coalesce(project_days.project_id, '')
        and project_days.log_date = {{ last_use_date([
            'known.last_requested_at', 'pulled.last_attempted_at', 'used_configs.last_used_at',
            'used_indexes.last_used_at', 'used_manifests.last_used_at', 'known.last_pushed_at',
            'written.written_at',
        ]) }}
