{{ config(
    materialized='incremental',
    incremental_strategy=update_strategy(),
    unique_key='image',
    meta={'restates': {'gcs_usage': [0, 0], 'cloud_audit': [0, 0]}},
) }}
{%- set restated = restated_days() %}
with

images as (

    select image from {{ ref('pullstats', 'int_registry_requests') }}
    where
        image is not null
        and {{ is_restated('event_date', restated) }}
    union distinct
    select image from {{ ref('pullstats', 'stg_registry_inventory__manifests') }}
    where image is not null

),

split_at_host as (

    select
        image,
        {{ regexp_group('image', "'^([^/]+)/'") }} as registry_host,
        {{ regexp_group('image', "'^[^/]+/(.+)$'") }} as image_path
    from images

),

with_projects as (

    select
        *,
        {{ is_gcr_host('registry_host') }} or registry_host like '%-docker.pkg.dev' as has_project
    from split_at_host

),

split_at_project as (

    select
        image,
        registry_host,
        image_path,
        has_project,
        case
            when
                has_project
                -- a project of a domain is two segments: example.com/project
                then {{ regexp_group('image_path', "'^([^/]*[.][^/]*/[^/]+|[^/]+)/'") }}
        end as project_id
    from with_projects

)

select
    image,
    registry_host,
    project_id,
    case
        when has_project
            then {{ regexp_group('image_path', "'^(?:[^/]*[.][^/]*/[^/]+|[^/]+)/(.+)$'") }}
        else image_path
    end as image_name
from split_at_project
