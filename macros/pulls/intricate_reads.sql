{% macro intricate_reads(reads) -%}
    with intricate_runs as (

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

    )

    select
        reads.*,
        row_number() over (
            partition by reads.run_id order by reads.started_micros, reads.record_key
        ) as read_number
    from {{ reads }} as reads
    inner join intricate_runs on reads.run_id = intricate_runs.run_id
{%- endmacro %}
