{% macro config_places(blobs_of_runs) -%}
    with sized as (

        select
            *,
            -- of what is small: sorts as time and digest do, and ends in the bytes
            case
                when delivered_bytes between 1 and {{ var('config_max_bytes') }} then
                    {{ padded_micros('first_read_micros') }}
                    || digest
                    || {{ padded_micros('delivered_bytes') }}
            end as read_order
        from {{ blobs_of_runs }}

    ),

    ends as (

        select
            run_id,
            {{ count_if('delivered_bytes > 0') }} as blob_count,
            min(read_order) as first_order,
            max(read_order) as last_order
        from sized
        group by run_id

    )

    select
        sized.*,
        sized.delivered_bytes > 0
        and ends.blob_count > 1
        and client_tools.config_position is not null as is_placed,
        coalesce(sized.read_order = case
            when client_tools.config_position = 'first' then ends.first_order
            when client_tools.config_position = 'last' then ends.last_order
            when right(ends.first_order, 18) <= right(ends.last_order, 18)
                then ends.first_order
            else ends.last_order
        end, false) as is_in_place_of_config
    from sized
    inner join ends on sized.run_id = ends.run_id
    left join {{ ref('client_tools') }} as client_tools on sized.client_tool = client_tools.tool
{%- endmacro %}
