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

split_at_project as (

    select
        image,
        registry_host,
        image_path,
        case
            when
                registry_host in ('gcr.io', 'us.gcr.io', 'eu.gcr.io', 'asia.gcr.io')
                or registry_host like '%-docker.pkg.dev'
                -- a project of a domain is two segments: example.com/project
                then {{ regexp_group('image_path', "'^([^/]*[.][^/]*/[^/]+|[^/]+)/'") }}
        end as project_id
    from split_at_host

)

select
    image,
    registry_host,
    project_id,
    case
        when
            registry_host in ('gcr.io', 'us.gcr.io', 'eu.gcr.io', 'asia.gcr.io')
            or registry_host like '%-docker.pkg.dev'
            then {{ regexp_group('image_path', "'^(?:[^/]*[.][^/]*/[^/]+|[^/]+)/(.+)$'") }}
        else image_path
    end as image_name
from split_at_project
