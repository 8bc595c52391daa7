{% macro grouped_reads(reads) -%}
    with intricate_runs as (

        {{ intricate_runs(reads) }}

    ),

    numbered as (

        {{ numbered_pulls(reads, 'intricate_runs') }}

    ),

    blobs_of_reads as (

        -- a plain run is one pull, each of its reads a blob: grouping these would take most of
        -- the model's memory
        select
            reads.run_id,
            1 as pull_number,
            {{ padded_micros('reads.started_micros') }} || reads.record_key as first_read,
            reads.digest,
            reads.blob_kind,
            reads.blob_kind_source,
            reads.size_bytes,
            reads.blob_image,
            1 as request_count,
            -- 304: the client has the blob already
            reads.status_code = 304 as is_cached,
            reads.delivered_bytes,
            reads.started_micros,
            reads.ended_micros
        from {{ reads }} as reads
        left join intricate_runs on reads.run_id = intricate_runs.run_id
        where intricate_runs.run_id is null
        union all
        select
            run_id,
            pull_number,
            min({{ padded_micros('started_micros') }} || record_key) as first_read,
            digest,
            any_value(blob_kind) as blob_kind,
            any_value(blob_kind_source) as blob_kind_source,
            any_value(size_bytes) as size_bytes,
            any_value(blob_image) as blob_image,
            count(*) as request_count,
            {{ count_if('status_code = 304') }} > 0 as is_cached,
            {{ sum_of('delivered_bytes') }} as delivered_bytes,
            min(started_micros) as started_micros,
            max(ended_micros) as ended_micros
        from numbered
        group by run_id, pull_number, digest

    )

    select
        substr(min(first_read), 19) as read_id,
        {{ only_value("case when blob_kind = 'config' then digest end") }} as image_id,
        min(case when blob_kind = 'config' then blob_kind_source end) as image_id_source,
        {{ only_value('blob_image') }} as only_image,
        {{ only_value("case when blob_kind = 'config' then blob_image end") }} as only_config_image,
        {{ count_if('delivered_bytes > 0') }} as blob_count,
        {{ count_if("delivered_bytes > 0 and blob_kind = 'config'") }} as config_count,
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
{%- endmacro %}
