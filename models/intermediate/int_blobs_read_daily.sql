{{ config(
    materialized='incremental',
    partition_by=partition_by_day('activity_date'),
    cluster_by=['bucket_name', 'digest'],
    pre_hook="{{ clear_restated_days('activity_date') }}",
    post_hook="{{ record_build() }}",
) }}
{%- set restated = days_to_restate(parents=['int_blob_reads']) %}
{{ restatement_note(restated) }}
with

blob_reads as (

    select * from {{ ref('int_blob_reads') }}
    where {{ is_restated('run_date', restated) }}

),

blobs_of_runs as (

    select
        run_id,
        digest,
        any_value(run_date) as activity_date,
        any_value(client_tool) as client_tool,
        any_value(bucket_name) as bucket_name,
        any_value(registry_host) as registry_host,
        any_value(image_path) as image_path,
        {{ sum_of('delivered_bytes') }} as delivered_bytes,
        max(case when status_code = 200 then delivered_bytes end) as whole_bytes,
        min(case when delivered_bytes > 0 then started_micros end) as first_read_micros,
        max(case when delivered_bytes > 0 then started_micros end) as last_read_micros
    from blob_reads
    group by run_id, digest

),

placed as (

    {{ config_places('blobs_of_runs') }}

)

select
    bucket_name,
    digest,
    registry_host,
    image_path,
    {{ count_if('delivered_bytes > 0') }} as run_count,
    {{ count_if('is_placed') }} as placed_count,
    {{ count_if('is_placed and is_in_place_of_config') }} as config_place_count,
    {{ sum_of('delivered_bytes') }} as served_bytes,
    max(whole_bytes) as whole_bytes,
    min(first_read_micros) as first_read_micros,
    max(last_read_micros) as last_read_micros,
    activity_date
from placed
group by bucket_name, digest, registry_host, image_path, activity_date
