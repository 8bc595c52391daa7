{# Blobs in a registry's inventory. #}

{% macro inventory_blob_kind(blob_role, media_type) -%}
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


{% macro registry_bucket(registry_host, project) -%}
    case
        when {{ is_gcr_host(registry_host) }}
            then
                coalesce({{ regexp_group(registry_host, "'^(" ~ gcr_prefixes() ~ ")'") }}, '')
                || 'artifacts.'
                || coalesce(
                    {{ regexp_group(project, "'/(.+)$'") }}
                    || '.' || {{ regexp_group(project, "'^(.+)/'") }} || '.a',
                    {{ project }}
                )
                || '.appspot.com'
    end
{%- endmacro %}
