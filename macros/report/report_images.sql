{% macro report_images() -%}
    (
        select images.image
        from {{ ref('dim_images') }} as images
        where images.pulls > 0
        order by images.pulls desc, images.image asc
        limit {{ var('report_images') }}
    )
{%- endmacro %}
