{{ config(
    materialized='incremental',
    unique_key='use_date',
    partition_by=by_day('use_date'),
    cluster_by=['image'],
    meta={'restates': {
        'gcs_usage': [-1, 2],
        'cloud_audit': [-2, 10],
        'blobs': [0, 1],
        'manifests': [0, 1],
    }},
) }}
{%- set restated = restated_days('int_changed_days') %}
with

fetches as (

    select
        image,
        tag,
        case when log_source = 'gcs_usage' then image_id end as image_id,
        index_digest,
        manifest_digest,
        case when traffic_class = 'scanner' then 'scan' else fetch_kind end as fetch_kind,
        is_complete,
        started_micros
    from {{ ref('pullstats', 'int_image_fetches') }}
    where {{ is_restated('session_date', restated, before=1) }}
    {%- if 'cloud_audit' in logs() %}
    union all
    -- of an image that is read on demand, only blobs are read after the first session
    select
        image,
        cast(null as string) as tag,
        cast(null as string) as image_id,
        cast(null as string) as index_digest,
        cast(null as string) as manifest_digest,
        case when is_scan then 'scan' else 'partial' end as fetch_kind,
        false as is_complete,
        last_blob_micros as started_micros
    from {{ ref('pullstats', 'int_manifest_contents') }}
    where
        root_digest = ''
        and requested_blob_count > 0
        and {{ is_restated('session_date', restated, before=1) }}
    {%- endif %}

),

uses as (

    select
        fetches.*,
        cast({{ micros_to_timestamp('fetches.started_micros') }} as date) as use_date
    from fetches
    inner join {{ ref('pullstats', 'fetch_kinds') }} as fetch_kinds
        on fetches.fetch_kind = fetch_kinds.fetch_kind
    where
        fetches.image is not null
        and fetch_kinds.is_use

),

restated_uses as (

    select * from uses
    where {{ is_restated('use_date', restated) }}

),

-- a client can request any name, so the number of images in a day that nobody was served is limited
left_out as (

    select
        restated_uses.image,
        restated_uses.use_date
    from restated_uses
    left join {{ ref('pullstats', 'int_images') }} as images
        on restated_uses.image = images.image
    where images.image is null
    group by restated_uses.image, restated_uses.use_date
    qualify row_number() over (
        partition by restated_uses.use_date order by count(*) desc, restated_uses.image asc
    ) > {{ var('max_names_a_day') }}

),

kept_uses as (

    select restated_uses.*
    from restated_uses
    left join left_out
        on
            restated_uses.image = left_out.image
            and restated_uses.use_date = left_out.use_date
    where left_out.image is null

)

select
    image,
    tag,
    image_id,
    index_digest,
    manifest_digest,
    {{ count_if("fetch_kind = 'pull' and is_complete") }} as pulls,
    {{ count_if("fetch_kind = 'check'") }} as checks,
    max(started_micros) as last_used_micros,
    use_date
from kept_uses
group by image, tag, image_id, index_digest, manifest_digest, use_date
