{# Image names: host, project and image, from a referer or a bucket's name. #}

{% macro referer_image(referer) -%}
    {%- set place = "strpos(" ~ referer ~ ", '/blobs/sha256:')" -%}
    {%- set digest_end = place ~ " + length('/blobs/sha256:') + 64" -%}
    case
        when
            {{ place }} > 0
            and length({{ referer }}) + 1 >= {{ digest_end }}
            and substr({{ referer }}, {{ digest_end }}, 1) in ('', '?', '#')
            then substr({{ referer }}, 1, {{ place }} - 1)
    end
{%- endmacro %}


{% macro referer_image_host(referer_image) -%}
    {%- set hosts = ['(?:[a-z0-9-]+[.])?gcr[.]io'] -%}
    {%- for host in var('self_hosted_registries') -%}
        {%- do hosts.append(host | replace('.', '[.]')) -%}
    {%- endfor -%}
    {{ regexp_group(referer_image, "'^https://(" ~ hosts | join('|') ~ ")/v2/[^?#]+$'") }}
{%- endmacro %}


{% macro referer_image_path(referer_image) -%}
    {{ regexp_group(referer_image, "'^https://[^/]+/v2/([^?#]+)$'") }}
{%- endmacro %}


{% macro image_project(registry_host, image_path) -%}
    case
        when {{ registry_host }} in ('gcr.io', 'us.gcr.io', 'eu.gcr.io', 'asia.gcr.io')
            then {{ regexp_group(image_path, "'^([^/]*[.][^/]*/[^/]+|[^/]+)/'") }}
    end
{%- endmacro %}


{% macro image_name(registry_host, image_path) -%}
    case
        when {{ registry_host }} in ('gcr.io', 'us.gcr.io', 'eu.gcr.io', 'asia.gcr.io')
            then {{ regexp_group(image_path, "'^(?:[^/]*[.][^/]*/[^/]+|[^/]+)/(.+)$'") }}
        else {{ image_path }}
    end
{%- endmacro %}


{% macro bucket_registry_host(bucket_name) -%}
    case
        when {{ regexp_like(bucket_name, "'^(us[.]|eu[.]|asia[.])?artifacts[.].+[.]appspot[.]com$'") }}
            then coalesce({{ regexp_group(bucket_name, "'^(us[.]|eu[.]|asia[.])'") }}, '') || 'gcr.io'
    end
{%- endmacro %}


{% macro bucket_project(bucket_name) -%}
    {%- set prefix = "^(?:us[.]|eu[.]|asia[.])?artifacts[.]" -%}
    case
        when {{ regexp_like(bucket_name, "'" ~ prefix ~ "[^.]+[.].+[.]a[.]appspot[.]com$'") }}
            then
                {{ regexp_group(bucket_name, "'" ~ prefix ~ "[^.]+[.](.+)[.]a[.]appspot[.]com$'") }}
                || '/'
                || {{ regexp_group(bucket_name, "'" ~ prefix ~ "([^.]+)[.]'") }}
        else {{ regexp_group(bucket_name, "'" ~ prefix ~ "(.+)[.]appspot[.]com$'") }}
    end
{%- endmacro %}
