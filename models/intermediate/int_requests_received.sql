{{ config(
    materialized='incremental',
    partition_by=partition_by_day('event_date'),
    cluster_by=['bucket_name', 'object_kind'],
    incremental_strategy=replace_days_strategy(),
    unique_key='event_date',
    full_refresh=none if var('rebuild_requests') else false,
    post_hook="{{ record_build(arrival_column='loaded_at') }}",
) }}
{%- set restated = days_to_restate(raw=ref('stg_gcs__usage_logs')) %}
{%- set newest = restated.loaded_through %}
{%- set described = [
    'client_id', 'client_network', 'client_tool', 'client_version', 'client_class', 'operation',
    'object_kind', 'digest', 'tag', 'bucket_name', 'registry_host', 'image_path', 'status_code',
    'request_bytes', 'response_bytes', 'duration_micros', 'started_micros', 'event_date',
] %}
{{ restatement_note(restated) }}
with

logs as (

    select * from {{ ref('stg_gcs__usage_logs') }}
    where
        {{ is_restated('event_date', restated) }}
        {% if restated.watermark %}
        and {{ arrived_after('loaded_at', timestamp_literal(restated.watermark)) }}
        {% endif %}
        {{ 'and loaded_at <= ' ~ timestamp_literal(newest) if newest }}

),

records as {{ materialized_once() }}

    select
        {{ hash_of([
            'started_micros', 'client_ip', 'client_ip_type', 'client_ip_region', 'http_method',
            'request_uri', 'status_code', 'request_bytes', 'response_bytes', 'duration_micros',
            'http_host', 'referer', 'user_agent', 'gcs_request_id', 'gcs_operation',
            'bucket_name', 'object_name',
        ]) }} as record_key,
        client_ip,
        user_agent,
        {{ referer_image('referer') }} as referer_image,
        coalesce(bucket_name, 'no bucket') as bucket_name,
        object_name,
        coalesce(gcs_operation, http_method) as gcs_operation,
        status_code,
        coalesce(request_bytes, 0) as request_bytes,
        coalesce(response_bytes, 0) as response_bytes,
        coalesce(duration_micros, 0) as duration_micros,
        {{ log_micros('started_micros') }} as started_micros,
        event_date,
        loaded_at
    from logs

),

described as (

    {{ described_requests('records') }}

),

-- what earlier runs have read, less the arrivals that are read again
received as (

    select record_key, {{ described | join(', ') }}, loaded_at
    from described
    {% if restated.watermark %}
    union all
    select record_key, {{ described | join(', ') }}, loaded_at
    from {{ this }}
    where
        {{ is_restated('event_date', restated) }}
        and not {{ arrived_after('loaded_at', timestamp_literal(restated.watermark)) }}
    {% endif %}

),

-- few records arrive twice; numbering all of them costs as much as reading them
repeated as (

    select record_key
    from received
    group by record_key
    having count(*) > 1

)

{% for is_repeated in [false, true] %}
select
    record_key,
    {{ described | join(',\n    ') }},
    {{ 'row_number() over (partition by record_key order by loaded_at) > 1' if is_repeated
        else 'false' }} as is_redelivery,
    loaded_at
from received
where {{ 'not' if not is_repeated }} record_key in (select repeated.record_key from repeated)
{{ 'union all' if not loop.last }}
{% endfor %}
