{% macro multi_pull_candidates(reads) -%}
    select session_id
    from (
        select
            session_id,
            count(*) as read_count,
            max(case when blob_kind = 'config' then 1 else 0 end) as config_count
        from {{ reads }}
        group by session_id, digest
    ) as blobs_of_sessions
    group by session_id
    having max(read_count) > 1 or sum(config_count) > 1
{%- endmacro %}
