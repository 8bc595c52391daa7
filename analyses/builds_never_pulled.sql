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
    image_pushes.image,
    image_pushes.image_id,
    image_pushes.manifest_digest,
    max(image_pushes.tags) as tags,
    count(*) as pushes,
    {{ sum_of('image_pushes.written_bytes') }} as written_bytes,
    max(image_pushes.started_at) as last_pushed_at
from {{ ref('pullstats', 'fct_image_pushes') }} as image_pushes
left join pulled_digests as by_config
    on
        image_pushes.image = by_config.image
        and image_pushes.image_id = by_config.digest
left join pulled_digests as by_manifest
    on
        image_pushes.image = by_manifest.image
        and image_pushes.manifest_digest = by_manifest.digest
where
    image_pushes.image is not null
    and coalesce(image_pushes.image_id, image_pushes.manifest_digest) is not null
    and by_config.digest is null
    and by_manifest.digest is null
group by image_pushes.image, image_pushes.image_id, image_pushes.manifest_digest
order by last_pushed_at desc, image_pushes.image asc
