{% macro assign_pull_numbers(reads, multi_pull_candidates) -%}
{%- set in_session = 'partition by session_id order by read_number' -%}
{%- set of_blob = 'partition by session_id, digest order by read_number' -%}
{%- set before = 'rows between unbounded preceding and 1 preceding' -%}
{%- set so_far = 'rows between unbounded preceding and current row' -%}
{%- set after = 'rows between 1 following and unbounded following' -%}
    with intricate as (

        select
            reads.*,
            row_number() over (
                partition by reads.session_id order by reads.started_micros, reads.request_key
            ) as read_number
        from {{ reads }} as reads
        inner join {{ multi_pull_candidates }} as multi_pull_candidates on reads.session_id = multi_pull_candidates.session_id

    ),

    delivered as (

        select
            *,
            coalesce(sum(served_bytes) over ({{ of_blob }} {{ before }}), 0)
                as bytes_before,
            min(case when status_code = 206 then read_number end)
                over ({{ of_blob }} {{ after }}) as next_range_number,
            min(case when served_bytes > 0 then read_number end)
                over ({{ of_blob }} {{ after }}) as next_delivery_number,
            max(case when blob_kind = 'config' then started_micros end)
                over ({{ in_session }} {{ before }}) as config_before_micros,
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
                and served_bytes < size_bytes
                and next_range_number is null
            ) as is_failure
        from delivered

    ),

    configs as (

        select
            *,
            blob_kind = 'config' and read_number = min(
                case when served_bytes > 0 then read_number end
            ) over (partition by session_id, digest, delivery_number) as is_config_delivery
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
                    over ({{ in_session }} {{ after }}) as next_config_number
            from configs
        ) as seen

    ),

    attempts as (

        select
            *,
            sum(failure_count) over ({{ in_session }} {{ so_far }}) as failures_so_far
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
                    ) over ({{ in_session }} {{ before }}), failures_so_far)
                    then 1
                else 0
            end as start_count
        from attempts

    ),

    summed as (

        select
            *,
            sum(start_count) over (partition by session_id) as starts_in_session,
            sum(start_count) over ({{ in_session }} {{ so_far }}) as starts_so_far,
            min(case when start_count = 1 then digest end) over (partition by session_id)
            = max(case when start_count = 1 then digest end) over (partition by session_id)
                as has_one_build,
            min(case when is_config_delivery then read_number end) over (partition by session_id)
            = min(case when served_bytes > 0 then read_number end) over (partition by session_id)
                as is_config_first,
            min(digest) over (partition by session_id) != max(digest) over (partition by session_id)
                as has_several_blobs
        from starts

    )

    select
        *,
        case
            when starts_in_session = 0 and has_several_blobs then delivery_number
            when starts_in_session <= 1 then 1
            when has_one_build then least(delivery_number, starts_in_session)
            when is_config_first then greatest(starts_so_far, 1)
            else least(starts_so_far + 1 - start_count, starts_in_session)
        end as pull_number
    from summed
{%- endmacro %}
