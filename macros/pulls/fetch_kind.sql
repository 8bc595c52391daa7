{% macro fetch_kind(group, read, tool) -%}
    case
        when {{ group }}.blob_count = 0 then 'partial'
        when {{ tool }}.fetch_kind is not null then {{ tool }}.fetch_kind
        when
            {{ read }}.image is null
            and {{ read }}.traffic_class in ('scanner', 'admin', 'housekeeping', 'lifecycle')
            then 'inspection'
        when {{ group }}.artifact_count = {{ group }}.blob_count then 'artifact'
        when {{ group }}.config_count > 0 and {{ group }}.blob_count > {{ group }}.config_count then 'pull'
        when
            {{ group }}.config_count > 0
            or (
                {{ group }}.is_small_unknown
                and coalesce({{ tool }}.layers_only_read, '') != 'artifact'
            )
            then coalesce({{ tool }}.config_only_read, 'inspection')
        when {{ tool }}.layers_only_read in ('partial', 'artifact', 'inspection')
            then {{ tool }}.layers_only_read
        when {{ group }}.blob_count > 1 then 'pull'
        else 'partial'
    end
{%- endmacro %}
