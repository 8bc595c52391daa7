{# How many clients of a session read what a manifest names. #}

{% macro count_blob_readers(reads) -%}
    select
        session_id,
        coalesce(root_digest, '') as root_digest,
        count(*) as blob_count,
        {{ sum_of('blob_reads') }} as blob_reads,
        -- a client that keeps layers may need only some of them, but reads each at most once
        max(case when blob_number > 1 then blob_reads end) as most_reads,
        min(blob_reads) as fewest_reads,
        max(last_micros) as last_micros
    from (
        select
            session_id,
            root_digest,
            digest,
            count(*) as blob_reads,
            max(started_micros) as last_micros,
            -- the first is the config, which a client reads again when it tries again
            row_number() over (
                partition by session_id, root_digest order by min(started_micros), digest
            ) as blob_number
        from {{ reads }}
        where object_kind = 'blob'
        group by session_id, root_digest, digest
    ) as distinct_blobs
    group by session_id, root_digest
{%- endmacro %}
