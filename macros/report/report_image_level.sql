{% macro report_image_level() -%}
    case
        when grouping(image) = 0 then 'image'
        when grouping(project_id) = 0 then 'project'
        when grouping(registry_host) = 0 then 'host'
        else 'all'
    end
{%- endmacro %}
