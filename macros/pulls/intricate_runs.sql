{% macro intricate_runs(reads) -%}
    select run_id
    from (
        select
            run_id,
            count(*) as read_count,
            max(case when blob_kind = 'config' then 1 else 0 end) as config_count
        from {{ reads }}
        group by run_id, digest
    ) as blobs_of_runs
    group by run_id
    having max(read_count) > 1 or sum(config_count) > 1
{%- endmacro %}
