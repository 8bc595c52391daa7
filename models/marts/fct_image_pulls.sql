{{ config(
    materialized='incremental',
    partition_by=partition_by_day('pull_date'),
    cluster_by=['image', 'traffic_class'],
    pre_hook="{{ clear_restated_days('pull_date') }}",
    post_hook="{{ record_build() }}",
) }}
{%- set restated = days_to_restate(parents=['int_image_reads'], after=1) %}
{{ restatement_note(restated) }}
with

image_reads as (

    select * from {{ ref('int_image_reads') }}
    where
        {{ is_restated('run_date', restated, before=1) }}
        and {{ is_restated('read_date', restated) }}

)

select
    read_id as pull_id,
    image_id,
    image_id_source,
    registry_host,
    {{ image_project('registry_host', 'image_path') }} as project_id,
    {{ image_name('registry_host', 'image_path') }} as image_name,
    registry_host || '/' || image_path as image,
    bucket_name,
    client_id,
    client_network,
    client_tool,
    client_version,
    traffic_class,
    attribution,
    blob_count,
    request_count,
    served_bytes,
    is_complete,
    read_date as pull_date,
    {{ micros_to_timestamp('started_micros') }} as started_at,
    {{ micros_to_timestamp('ended_micros') }} as ended_at
from image_reads
where read_kind = 'pull'
