{% macro config_positions(blobs_of_sessions) -%}
    with sized as (

        select
            *,
            -- of what is small: sorts as time and digest do, and ends in the bytes
            case
                when served_bytes between 1 and {{ var('config_max_bytes') }} then
                    {{ sortable_micros('first_read_micros') }}
                    || digest
                    || {{ sortable_micros('served_bytes') }}
            end as read_order
        from {{ blobs_of_sessions }}

    ),

    ends as (

        select
            session_id,
            {{ count_if('served_bytes > 0') }} as blob_count,
            min(read_order) as first_order,
            max(read_order) as last_order
        from sized
        group by session_id

    )

    select
        sized.*,
        sized.served_bytes > 0
        and ends.blob_count > 1
        and client_tools.config_position is not null as has_informative_position,
        coalesce(sized.read_order = case
            when client_tools.config_position = 'first' then ends.first_order
            when client_tools.config_position = 'last' then ends.last_order
            when right(ends.first_order, 18) <= right(ends.last_order, 18)
                then ends.first_order
            else ends.last_order
        end, false) as is_at_config_position
    from sized
    inner join ends on sized.session_id = ends.session_id
    left join {{ ref('client_tools') }} as client_tools on sized.client_tool = client_tools.tool
{%- endmacro %}
