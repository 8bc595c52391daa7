{% macro numbered_pulls(reads, intricate_runs) -%}
{%- set in_run = 'partition by run_id order by read_number' -%}
{%- set of_blob = 'partition by run_id, digest order by read_number' -%}
{%- set before = 'rows between unbounded preceding and 1 preceding' -%}
{%- set so_far = 'rows between unbounded preceding and current row' -%}
{%- set after = 'rows between 1 following and unbounded following' -%}
    with intricate as (

        select
            reads.*,
            row_number() over (
                partition by reads.run_id order by reads.started_micros, reads.record_key
            ) as read_number
        from {{ reads }} as reads
        inner join {{ intricate_runs }} as intricate_runs on reads.run_id = intricate_runs.run_id

    ),

    delivered as (

        select
            *,
            coalesce(sum(delivered_bytes) over ({{ of_blob }} {{ before }}), 0)
                as bytes_before,
            min(case when status_code = 206 then read_number end)
                over ({{ of_blob }} {{ after }}) as next_range_number,
            min(case when delivered_bytes > 0 then read_number end)
                over ({{ of_blob }} {{ after }}) as next_delivery_number,
            max(case when blob_kind = 'config' then started_micros end)
                over ({{ in_run }} {{ before }}) as config_before_micros,
            min(case when blob_kind = 'config' then started_micros end)
                over ({{ of_blob }} {{ before }}) as same_config_before_micros
        from intricate

    ),

    counted as (

        select
            *,
            case
                when size_bytes > 0
                    then 1 + {{ integer_divide('bytes_before', 'size_bytes') }}
                else 1
            end as delivery_number,
            -- 416: the client asked for more of a blob that it has already
            (status_code >= 400 and status_code != 416) or (
                status_code = 200
                and delivered_bytes < size_bytes
                and next_range_number is null
            ) as is_failure
        from delivered

    ),

    configs as (

        select
            *,
            blob_kind = 'config' and read_number = min(
                case when delivered_bytes > 0 then read_number end
            ) over (partition by run_id, digest, delivery_number) as is_config_delivery
        from counted

    ),

    failures as (

        select
            *,
            case
                when
                    is_failure
                    and coalesce(next_delivery_number > next_config_number, true)
                    and next_config_number is not null
                    then 1
                else 0
            end as failure_count
        from (
            select
                *,
                min(case when is_config_delivery then read_number end)
                    over ({{ in_run }} {{ after }}) as next_config_number
            from configs
        ) as seen

    ),

    attempts as (

        select
            *,
            sum(failure_count) over ({{ in_run }} {{ so_far }}) as failures_so_far
        from failures

    ),

    starts as (

        select
            *,
            case
                when
                    coalesce(is_config_delivery, false)
                    and not coalesce(
                        reads_index = 'true'
                        and same_config_before_micros is null
                        and started_micros - config_before_micros
                        <= {{ var('index_read_seconds') }} * 1000000, false
                    )
                    and failures_so_far = coalesce(max(
                        case when is_config_delivery then failures_so_far end
                    ) over ({{ in_run }} {{ before }}), failures_so_far)
                    then 1
                else 0
            end as start_count
        from attempts

    ),

    summed as (

        select
            *,
            sum(start_count) over (partition by run_id) as starts_of_run,
            sum(start_count) over ({{ in_run }} {{ so_far }}) as starts_so_far,
            min(case when start_count = 1 then digest end) over (partition by run_id)
            = max(case when start_count = 1 then digest end) over (partition by run_id)
                as has_one_build,
            min(case when is_config_delivery then read_number end) over (partition by run_id)
            = min(case when delivered_bytes > 0 then read_number end) over (partition by run_id)
                as is_config_first,
            min(digest) over (partition by run_id) != max(digest) over (partition by run_id)
                as has_several_blobs
        from starts

    )

    select
        *,
        case
            when starts_of_run = 0 and has_several_blobs then delivery_number
            when starts_of_run <= 1 then 1
            when has_one_build then least(delivery_number, starts_of_run)
            when is_config_first then greatest(starts_so_far, 1)
            else least(starts_so_far + 1 - start_count, starts_of_run)
        end as pull_number
    from summed
{%- endmacro %}
