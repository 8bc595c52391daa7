with

pulled_digests as (
    {%- for digest in ['image_id', 'index_digest', 'manifest_digest'] %}
    select
        image,
        {{ digest }} as digest
    from {{ ref('pullstats', 'fct_image_builds_monthly') }}
    where
        pulls > 0
        and {{ digest }} is not null
    {{ 'union distinct' if not loop.last }}
    {%- endfor %}

)

select
    pushes.image,
    pushes.image_id,
    pushes.manifest_digest,
    max(pushes.tags) as tags,
    count(*) as pushes,
    {{ sum_of('pushes.written_bytes') }} as written_bytes,
    max(pushes.started_at) as last_pushed_at
from {{ ref('pullstats', 'fct_image_pushes') }} as pushes
left join pulled_digests as by_config
    on
        pushes.image = by_config.image
        and pushes.image_id = by_config.digest
left join pulled_digests as by_manifest
    on
        pushes.image = by_manifest.image
        and pushes.manifest_digest = by_manifest.digest
where
    pushes.image is not null
    and coalesce(pushes.image_id, pushes.manifest_digest) is not null
    and by_config.digest is null
    and by_manifest.digest is null
group by pushes.image, pushes.image_id, pushes.manifest_digest
order by last_pushed_at desc, pushes.image asc
