{# What a registry's inventory says of blobs. #}

{% macro listed_blob_kind(blob_role, media_type) -%}
    case
        when
            {{ blob_role }} = 'config' and {{ media_type }} in (
                'application/vnd.docker.container.image.v1+json',
                'application/vnd.oci.image.config.v1+json'
            ) then 'config'
        when
            {{ blob_role }} = 'layer'
            and {{ regexp_like(
                media_type,
                "'^application/vnd[.](docker[.]image[.]rootfs|oci[.]image[.]layer)[.]'"
            ) }} then 'layer'
        else 'artifact'
    end
{%- endmacro %}


{% macro registry_bucket(registry_host, image_path) -%}
    {%- set project = image_project(registry_host, image_path) -%}
    coalesce({{ regexp_group(registry_host, "'^(us[.]|eu[.]|asia[.])gcr[.]io$'") }}, '')
    || 'artifacts.'
    || coalesce(
        {{ regexp_group(project, "'/(.+)$'") }} || '.' || {{ regexp_group(project, "'^(.+)/'") }} || '.a',
        {{ project }}
    )
    || '.appspot.com'
{%- endmacro %}


{% macro of_only_image(column) -%}
    case
        when {{ count_if('is_referred') }} = 1 then min(case when is_referred then {{ column }} end)
        when count(*) = 1 then min({{ column }})
    end
{%- endmacro %}
