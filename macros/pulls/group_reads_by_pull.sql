{% macro group_reads_by_pull(reads) -%}
    with multi_pull_candidates as (

        {{ multi_pull_candidates(reads) }}

    ),

    numbered as (

        {{ assign_pull_numbers(reads, 'multi_pull_candidates') }}

    ),

    blobs_of_reads as (

        -- a plain run is one pull, each of its reads a blob: grouping these would take most of
        -- the model's memory
        select
            reads.session_id,
            1 as pull_number,
            {{ sortable_micros('reads.started_micros') }} || reads.request_key as first_read,
            reads.digest,
            reads.blob_kind,
            reads.blob_kind_source,
            reads.size_bytes,
            reads.sole_image_of_blob,
            1 as request_count,
            -- 304: the client has the blob already
            reads.status_code = 304 as is_cached,
            reads.served_bytes,
            reads.started_micros,
            reads.ended_micros
        from {{ reads }} as reads
        left join multi_pull_candidates on reads.session_id = multi_pull_candidates.session_id
        where multi_pull_candidates.session_id is null
        union all
        select
            session_id,
            pull_number,
            min({{ sortable_micros('started_micros') }} || request_key) as first_read,
            digest,
            any_value(blob_kind) as blob_kind,
            any_value(blob_kind_source) as blob_kind_source,
            any_value(size_bytes) as size_bytes,
            any_value(sole_image_of_blob) as sole_image_of_blob,
            count(*) as request_count,
            {{ count_if('status_code = 304') }} > 0 as is_cached,
            {{ sum_of('served_bytes') }} as served_bytes,
            min(started_micros) as started_micros,
            max(ended_micros) as ended_micros
        from numbered
        group by session_id, pull_number, digest

    )

    select
        substr(min(first_read), 19) as fetch_id,
        {{ sole_value("case when blob_kind = 'config' then digest end") }} as image_id,
        min(case when blob_kind = 'config' then blob_kind_source end) as image_id_source,
        {{ sole_value('sole_image_of_blob') }} as sole_image,
        {{ sole_value("case when blob_kind = 'config' then sole_image_of_blob end") }} as sole_config_image,
        {{ count_if('served_bytes > 0') }} as blob_count,
        {{ count_if("served_bytes > 0 and blob_kind = 'config'") }} as config_count,
        {{ count_if("served_bytes > 0 and blob_kind = 'artifact'") }} as artifact_count,
        max(blob_kind) = 'unknown'
        and count(*) = 1
        and max(served_bytes) between 1 and {{ var('config_max_bytes') }}
            as is_small_unknown,
        {{ sum_of('request_count') }} as request_count,
        {{ sum_of('served_bytes') }} as served_bytes,
        min(case
            when is_cached or served_bytes >= coalesce(size_bytes, 1) then 1
            else 0
        end) = 1 as is_complete,
        min(started_micros) as first_micros,
        max(ended_micros) as last_micros
    from blobs_of_reads
    group by session_id, pull_number
{%- endmacro %}
