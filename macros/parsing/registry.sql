{# Image names: host, project and image, from a referer or a bucket's name. #}

{# Container Registry's four hosts, and the prefixes of their buckets. Not a seed, which no regular
   expression could read, and which each model with an image would join. #}
{% macro gcr_prefixes() -%}
    {{ return('us[.]|eu[.]|asia[.]') }}
{%- endmacro %}


{# Artifact Registry names repositories like them. #}
{% macro is_gcr_host(host) -%}
    {{ regexp_like(host, "'^(" ~ gcr_prefixes() ~ ")?gcr[.]io$'") }}
{%- endmacro %}


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


{% macro image_from_referer(referer_image) -%}
    {%- set registries = ['https://(?:[a-z0-9-]+[.])?gcr[.]io'] -%}
    {%- for host in var('self_hosted_registries') -%}
        {%- do registries.append('https?://' ~ host | replace('.', '[.]')) -%}
    {%- endfor -%}
    case
        when {{ regexp_like(referer_image, "'^(?:" ~ registries | join('|') ~ ")/v2/[^?#]+$'") }}
            then
                {{ regexp_group(referer_image, "'^https?://([^/]+)/'") }}
                || '/' || {{ regexp_group(referer_image, "'^https?://[^/]+/v2/(.+)$'") }}
    end
{%- endmacro %}


{% macro image_from_bucket(bucket_name, repository) -%}
    {%- set host = "^(" ~ gcr_prefixes() ~ ")?artifacts[.]" -%}
    case
        when {{ regexp_like(bucket_name, "'" ~ host ~ ".+[.]appspot[.]com$'") }} then
            coalesce({{ regexp_group(bucket_name, "'" ~ host ~ "'") }}, '') || 'gcr.io/'
            || {{ bucket_project(bucket_name) }} || '/' || {{ repository }}
    end
{%- endmacro %}


{% macro bucket_project(bucket_name) -%}
    {%- set prefix = "^(?:" ~ gcr_prefixes() ~ ")?artifacts[.]" -%}
    case
        when {{ regexp_like(bucket_name, "'" ~ prefix ~ "[^.]+[.].+[.]a[.]appspot[.]com$'") }}
            then
                {{ regexp_group(bucket_name, "'" ~ prefix ~ "[^.]+[.](.+)[.]a[.]appspot[.]com$'") }}
                || '/' || {{ regexp_group(bucket_name, "'" ~ prefix ~ "([^.]+)[.]'") }}
        else {{ regexp_group(bucket_name, "'" ~ prefix ~ "(.+)[.]appspot[.]com$'") }}
    end
{%- endmacro %}


{% macro is_cache_image(image) -%}
    coalesce({{ regexp_like(image, "'/(build)?cache$'") }}, false)
{%- endmacro %}


{% macro is_build_cache(image, tag=none) -%}
    (
        {{ regexp_like(image, "'[/-](build)?cache$'") }}
        {%- if tag %}
        or coalesce({{ regexp_like(tag, "'(^|[-_.])(build)?cache($|[-_.])'") }}, false)
        {%- endif %}
    )
{%- endmacro %}


{% macro valid_image(image) -%}
    {%- set part = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*' -%}
    case
        when
            length({{ image }}) <= 255
            and {{ regexp_like(image, "'^[A-Za-z0-9.:-]+(?:/" ~ part ~ ")+$'") }}
            then {{ image }}
    end
{%- endmacro %}


{% macro valid_tag(tag) -%}
    case when {{ regexp_like(tag, "'^[0-9A-Za-z_][0-9A-Za-z._-]{0,127}$'") }} then {{ tag }} end
{%- endmacro %}


{% macro image_host(image) -%}
    {{ regexp_group(image, "'^([^/]+)/'") }}
{%- endmacro %}


{# A project of a domain is two segments: example.com/project. #}
{% macro image_project(image) -%}
    case
        when
            {{ is_gcr_host(image_host(image)) }}
            or {{ image_host(image) }} like '%-docker.pkg.dev'
            then {{ regexp_group(image, "'^[^/]+/([^/]*[.][^/]*/[^/]+|[^/]+)/'") }}
    end
{%- endmacro %}


{% macro image_name(image) -%}
    {%- set place = 'length(' ~ image_host(image) ~ ') + 2' -%}
    substr({{ image }}, {{ place }} + coalesce(length({{ image_project(image) }}) + 1, 0))
{%- endmacro %}
