{% macro grouped_reads(reads) -%}
    with blobs_of_reads as (

        select
            run_id,
            pull_number,
            digest,
            min({{ padded_micros('started_micros') }} || record_key) as first_read,
            any_value(blob_kind) as blob_kind,
            any_value(blob_kind) = 'config' as is_config,
            any_value(blob_kind_source) as blob_kind_source,
            any_value(size_bytes) as size_bytes,
            any_value(blob_image) as blob_image,
            count(*) as request_count,
            -- 304: the client has the blob already
            {{ count_if('status_code = 304') }} > 0 as is_cached,
            {{ sum_of('delivered_bytes') }} as delivered_bytes,
            min(started_micros) as started_micros,
            max(ended_micros) as ended_micros
        from {{ reads }}
        group by run_id, pull_number, digest

    ),

    read_together as (

        select
            substr(min(first_read), 19) as read_id,
            {{ only_value('case when is_config then digest end') }} as image_id,
            min(case when is_config then blob_kind_source end) as image_id_source,
            {{ only_value('blob_image') }} as only_image,
            {{ only_value('case when is_config then blob_image end') }} as only_config_image,
            {{ count_if('delivered_bytes > 0') }} as blob_count,
            {{ count_if('delivered_bytes > 0 and is_config') }} as config_count,
            {{ count_if("delivered_bytes > 0 and blob_kind = 'artifact'") }} as artifact_count,
            max(blob_kind) = 'unknown'
            and count(*) = 1
            and max(delivered_bytes) between 1 and {{ var('config_max_bytes') }}
                as is_small_unknown,
            {{ sum_of('request_count') }} as request_count,
            {{ sum_of('delivered_bytes') }} as served_bytes,
            min(case
                when is_cached or delivered_bytes >= coalesce(size_bytes, 1) then 1
                else 0
            end) = 1 as is_complete,
            min(started_micros) as first_micros,
            max(ended_micros) as last_micros
        from blobs_of_reads
        group by run_id, pull_number

    )

    select
        read_together.*,
        -- alike in all reads of a run
        {%- for column in [
            'client_id', 'client_network', 'client_tool', 'client_version', 'traffic_class',
            'bucket_name', 'registry_host', 'image_path', 'run_date',
        ] %}
        first_reads.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from read_together
    inner join {{ reads }} as first_reads on read_together.read_id = first_reads.record_key
{%- endmacro %}
