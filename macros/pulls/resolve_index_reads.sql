{# Which manifest a request is for: the one that the client asked for, or a child of that index. #}

{% macro resolve_index_reads(reads) -%}
{%- set in_session = 'partition by session_id order by started_micros, request_key' -%}
    with marked as (

        select
            *,
            object_kind = 'manifest' and operation = 'read' as is_get,
            max(case
                when operation = 'head' or (object_kind = 'manifest' and operation = 'read' and tag is not null)
                    then 1
                else 0
            end) over (partition by session_id, digest) = 1 as is_named
        from {{ reads }}

    ),

    ordered as (

        select
            *,
            lag(case when is_get then digest end) over (
                partition by session_id, operation order by started_micros, request_key
            ) as previous_digest,
            is_get and not is_named and row_number() over (
                partition by session_id, operation, digest order by started_micros, request_key
            ) = 1 as is_first_unnamed
        from marked

    ),

    -- a client reads a child right after its index, before any blob
    followed as (

        select
            *,
            is_first_unnamed and previous_digest != digest as is_after_index
        from ordered

    ),

    -- and an index whole, with the blobs of one child before the next child
    resolved as (

        select
            *,
            max(case when is_first_unnamed and is_in_index then 1 else 0 end)
                over (partition by session_id, is_get, digest) = 1 as is_child
        from (
            select
                *,
                max(case when is_after_index then 1 else 0 end) over (
                    {{ in_session }} rows between unbounded preceding and current row
                ) = 1 as is_in_index
            from followed
        ) as seen

    )

    select
        request_key,
        session_id,
        client_id,
        principal_id,
        image,
        client_network,
        client_tool,
        client_version,
        client_class,
        traffic_class,
        principal_kind,
        resource_name,
        operation,
        object_kind,
        tag,
        digest,
        is_child,
        last_value(case when is_get and not is_child then digest end ignore nulls) over (
            {{ in_session }} rows between unbounded preceding and current row
        ) as root_digest,
        started_micros,
        session_date
    from resolved
{%- endmacro %}
