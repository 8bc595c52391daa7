{{ config(
    materialized='incremental',
    incremental_strategy=update_strategy(),
    unique_key='image',
    meta={'restates': {'gcs_usage': [0, 0], 'cloud_audit': [0, 0]}},
) }}
{%- set restated = restated_days() %}
with

requests as (

    select * from {{ ref('pullstats', 'int_registry_requests') }}
    where {{ is_restated('event_date', restated) }}

),

-- a client can request an image that doesn't exist
served as (

    select image from requests
    where coalesce(status_code, 0) < 400

),

images as (

    select image from served
    union distinct
    select image from {{ ref('pullstats', 'stg_registry_inventory__manifests') }}

)

select
    image,
    {{ image_host('image') }} as registry_host,
    {{ image_project('image') }} as project_id,
    {{ image_name('image') }} as image_name
from images
where image is not null
