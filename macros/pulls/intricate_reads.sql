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
        *,
        row_number() over (partition by run_id order by started_micros, record_key) as read_number
    from {{ reads }}
    where run_id in (select intricate_runs.run_id from intricate_runs)
{%- endmacro %}
