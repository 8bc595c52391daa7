{# The kind of an object in a registry's bucket, from its name. #}

{% macro object_kind(object_name) -%}
    {%- set digest = '[0-9a-f]{64}' -%}
    {%- set distribution = 'docker/registry/v2/' -%}
    case
        when {{ object_name }} is null then 'bucket'
        when {{ regexp_like(object_name, "'^containers/images/sha256:" ~ digest ~ "$'") }} then 'blob'
        when {{ regexp_like(object_name, "'^containers/images/" ~ digest ~ "/(json|layer|ancestry)$'") }}
            then 'v1_image'
        when {{ regexp_like(object_name, "'^containers/repositories/library/.+/manifest_sha256:" ~ digest ~ "$'") }}
            then 'manifest'
        when {{ regexp_like(object_name, "'^containers/repositories/library/.+/tag_[^/]+$'") }} then 'tag'
        when {{ regexp_like(object_name, "'(^|/)" ~ distribution ~ "blobs/sha256/[0-9a-f]{2}/" ~ digest ~ "/data$'") }}
            then 'blob'
        when {{ regexp_like(object_name, "'(^|/)" ~ distribution ~ "repositories/.+/_manifests/revisions/sha256/" ~ digest ~ "/link$'") }}
            then 'manifest'
        when {{ regexp_like(object_name, "'(^|/)" ~ distribution ~ "repositories/.+/_manifests/tags/[^/]+/current/link$'") }}
            then 'tag'
        else 'other'
    end
{%- endmacro %}


{% macro object_digest(object_name) -%}
    'sha256:' || {{ regexp_group(
        object_name,
        "'(?:^containers/images/sha256:|/manifest_sha256:|/(?:blobs/sha256/[0-9a-f]{2}|revisions/sha256)/)([0-9a-f]{64})(?:$|/data$|/link$)'"
    ) }}
{%- endmacro %}


{% macro object_repository(object_name) -%}
    {{ regexp_group(
        object_name,
        "'(?:^containers/repositories/library/|(?:^|/)docker/registry/v2/repositories/)(.+)/(?:tag_[^/]+|manifest_sha256:[0-9a-f]{64}|_manifests/.+)$'"
    ) }}
{%- endmacro %}


{% macro object_tag(object_name) -%}
    {{ regexp_group(object_name, "'(?:/tag_|/_manifests/tags/)([^/]+)(?:$|/current/link$)'") }}
{%- endmacro %}


{% macro empty_config() -%}
    'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
{%- endmacro %}


{% macro is_empty_config(digest) -%}
    {{ digest }} = {{ empty_config() }}
{%- endmacro %}
