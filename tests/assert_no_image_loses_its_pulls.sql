{{ config(severity='warn') }}
-- Finds images without pulls: their config is no longer a config, or also belongs to another image.
-- Such an image may be in use. An inventory of the registry decides.
{%- set since = run_started_at - modules.datetime.timedelta(days=var('test_lookback_days')) %}
{%- set since = timestamp_literal(since.strftime('%Y-%m-%d %H:%M:%S')) %}
with

lost as (

    select
        image,
        digest,
        kind_changed_at as changed_at
    from {{ ref('pullstats', 'int_blobs') }}
    where
        former_blob_kind = 'config'
        and kind_changed_at >= {{ since }}
    union all
    select
        former_image as image,
        digest,
        image_changed_at as changed_at
    from {{ ref('pullstats', 'int_blobs') }}
    where
        former_image is not null
        and 'config' in (blob_kind, former_blob_kind)
        and image_changed_at >= {{ since }}

)

select
    lost.image,
    min(lost.digest) as a_changed_digest,
    max(lost.changed_at) as changed_at,
    'the image lost its pulls' as reason
from lost
left join {{ ref('pullstats', 'dim_images') }} as images on lost.image = images.image
where
    lost.image is not null
    and coalesce(images.pulls, 0) = 0
group by lost.image
