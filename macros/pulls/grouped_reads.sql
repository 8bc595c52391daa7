{% macro grouped_reads(reads) -%}
{%- set of_client_and_image = [
    'client_id', 'client_network', 'client_tool', 'client_version', 'traffic_class',
    'bucket_name', 'registry_host', 'image_path', 'run_date',
] -%}
    with blobs_of_reads as (

        select
            read_id,
            digest,
            {%- for column in of_client_and_image %}
            any_value({{ column }}) as {{ column }},
            {%- endfor %}
            any_value(blob_kind) as blob_kind,
            any_value(blob_kind) = 'config' as is_config,
            any_value(blob_kind_source) as blob_kind_source,
            any_value(size_bytes) as size_bytes,
            any_value(blob_registry_host) as blob_registry_host,
            any_value(blob_image_path) as blob_image_path,
            count(*) as request_count,
            -- 304: the client has the blob already
            {{ count_if('status_code = 304') }} > 0 as is_cached,
            {{ sum_of('delivered_bytes') }} as delivered_bytes,
            min(started_micros) as started_micros,
            max(ended_micros) as ended_micros
        from {{ reads }}
        group by read_id, digest

    )

    select
        read_id,
        {%- for column in of_client_and_image %}
        any_value({{ column }}) as {{ column }},
        {%- endfor %}
        {{ only_value('case when is_config then digest end') }} as image_id,
        min(case when is_config then blob_kind_source end) as image_id_source,
        {{ only_value("blob_registry_host || '/' || blob_image_path") }} as only_image,
        {{ only_value(
            "case when is_config then blob_registry_host || '/' || blob_image_path end"
        ) }} as only_config_image,
        {{ count_if('delivered_bytes > 0') }} as blob_count,
        {{ count_if('delivered_bytes > 0 and is_config') }} as config_count,
        {{ count_if("delivered_bytes > 0 and blob_kind = 'artifact'") }} as artifact_count,
        max(blob_kind) = 'unknown'
        and count(*) = 1
        and max(delivered_bytes) between 1 and {{ var('config_max_bytes') }} as is_small_unknown,
        {{ sum_of('request_count') }} as request_count,
        {{ sum_of('delivered_bytes') }} as served_bytes,
        min(case
            when is_cached or delivered_bytes >= coalesce(size_bytes, 1) then 1
            else 0
        end) = 1 as is_complete,
        min(started_micros) as started_micros,
        max(ended_micros) as ended_micros
    from blobs_of_reads
    group by read_id
{%- endmacro %}
