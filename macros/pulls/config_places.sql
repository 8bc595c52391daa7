{% macro config_places(blobs_of_runs) -%}
{%- set in_order = 'partition by run_id, is_small order by first_read_micros, digest' -%}
    with sized as (

        select
            *,
            delivered_bytes between 1 and {{ var('config_max_bytes') }} as is_small,
            sum(case when delivered_bytes > 0 then 1 else 0 end)
                over (partition by run_id) as blob_count
        from {{ blobs_of_runs }}

    ),

    placed as (

        select
            *,
            row_number() over ({{ in_order }}) as place,
            count(*) over (partition by run_id, is_small) as last_place,
            first_value(delivered_bytes) over ({{ in_order }}) as first_bytes,
            first_value(delivered_bytes) over (
                partition by run_id, is_small order by first_read_micros desc, digest desc
            ) as last_bytes
        from sized

    )

    select
        placed.*,
        placed.delivered_bytes > 0
        and placed.blob_count > 1
        and client_tools.config_position is not null as is_placed,
        placed.is_small and placed.place = case
            when client_tools.config_position = 'first' then 1
            when client_tools.config_position = 'last' then placed.last_place
            when placed.first_bytes <= placed.last_bytes then 1
            else placed.last_place
        end as is_in_place_of_config
    from placed
    left join {{ ref('client_tools') }} as client_tools on placed.client_tool = client_tools.tool
{%- endmacro %}
