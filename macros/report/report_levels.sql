{% macro report_image_level() -%}
    case
        when grouping(image) = 0 then 'image'
        when grouping(project_id) = 0 then 'project'
        when grouping(registry_host) = 0 then 'host'
        else 'all'
    end
{%- endmacro %}


{% macro report_grouping_sets(others) -%}
    {%- set levels = [
        '', ', registry_host', ', registry_host, project_id', ', registry_host, project_id, image',
    ] -%}
    {%- for level in levels %}
        {%- set is_last = loop.last %}
        {%- for other in others %}
        (period, period_start, shown_source{{ level }}{{ other }})
        {{- ',' if not (is_last and loop.last) }}
        {%- endfor %}
    {%- endfor %}
{%- endmacro %}
