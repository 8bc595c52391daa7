{# Caller and image of an entry of Artifact Registry's audit log. #}

{% macro caller_address(caller_ip) -%}
    case
        when {{ regexp_like(caller_ip, "'^([0-9]+[.]){3}[0-9]+$|^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$'") }}
            then {{ caller_ip }}
    end
{%- endmacro %}


{% macro principal(email, subject) -%}
    coalesce(
        case when lower({{ email }}) not in ('anonymous', 'unknown') then {{ email }} end,
        {{ regexp_group(subject, "'^(?:user:|serviceAccount:)?(.+)$'") }}
    )
{%- endmacro %}


{% macro principal_kind(principal) -%}
    case
        when {{ principal }} is null then 'anonymous'
        when {{ regexp_like(principal, "'^principal(Set)?://'") }} then 'federated'
        when {{ regexp_like(principal, "'^service-[0-9]+@|@system[.]|@cloudservices[.]'") }} then 'google_agent'
        when {{ regexp_like(principal, "'[.]gserviceaccount[.]com$'") }} then 'service_account'
        else 'user'
    end
{%- endmacro %}


{% macro principal_id(principal, salt) -%}
    case
        when {{ principal }} is null then cast(null as string)
        {%- if var('readable_service_accounts') %}
        when {{ principal_kind(principal) }} in ('service_account', 'google_agent')
            then {{ principal }}
        {%- endif %}
        else {{ hash_of([salt, principal]) }}
    end
{%- endmacro %}


{% macro registry_repository(audit_resource_name) -%}
    {{ regexp_group(
        audit_resource_name, "'^(projects/[^/]+/locations/[^/]+/repositories/[^/]+)'"
    ) }}
{%- endmacro %}


{# A repository of the gcr.io family has the name of the host that its images had before. #}
{% macro image_from_audit_entry(audit_resource_name, request_url) -%}
    {%- set repository = regexp_group(audit_resource_name, "'/repositories/([^/]+)'") -%}
    {%- set project = "replace(" ~ regexp_group(audit_resource_name, "'^projects/([^/]+)/'") ~ ", ':', '/')" -%}
    {%- set url_path = regexp_group(request_url, "'^/v2/([^?#]+)/(?:manifests|blobs|tags)/'") -%}
    {#- a project may have the name of the repository -#}
    {%- set path = "substr(" ~ url_path ~ ", length(" ~ project ~ ") + 1)" -%}
    case
        when {{ is_gcr_host(repository) }}
            then {{ repository }} || '/' || {{ project }}
        else
            {{ regexp_group(audit_resource_name, "'/locations/([^/]+)/'") }}
            || '-docker.pkg.dev/' || {{ project }} || '/' || {{ repository }}
    end
    || '/'
    || replace(replace(coalesce(
        nullif(substr(
            {{ path }},
            nullif(strpos({{ path }}, '/' || {{ repository }} || '/'), 0)
            + length({{ repository }}) + 2
        ), ''),
        {{ regexp_group(audit_resource_name, "'/dockerImages/([^@]+)'") }}
    ), '%2F', '/'), '%2f', '/')
{%- endmacro %}


{% macro requested_reference(request_url) -%}
    {%- set reference = regexp_group(request_url, "'^[^?#]*/(?:manifests|blobs)/([^/?#]+)'") -%}
    replace(replace({{ reference }}, '%3A', ':'), '%3a', ':')
{%- endmacro %}


{% macro package_format(service_name, method_name) -%}
    case
        when {{ service_name }} = 'artifactregistry.googleapis.com'
            then lower({{ regexp_group(
                method_name, "'^(?:VirtualRepo|(Apt|Docker|Go|GooGet|Kfp|Maven|Npm|Python|Ruby|Yum))-'"
            ) }})
    end
{%- endmacro %}


{# People use the programs of build servers, too. #}
{% macro audit_traffic_class(operation, principal, principal_class, principal_kind, client_class) -%}
    case
        when {{ operation }} in ('list', 'admin') then 'admin'
        when {{ principal_class }} is not null then {{ principal_class }}
        when
            {{ client_class }} in ('ci', 'unknown')
            and ({{ principal_kind }} = 'user' or {{ principal }} like '%/workforcePools/%')
            then 'end_user'
        else {{ client_class }}
    end
{%- endmacro %}


{# A tag of the OCI referrers tag schema, as cosign's too: `sha256-<hex>`, `sha256-<hex>.sig`. #}
{% macro is_referrer_tag(tag) -%}
    {{ regexp_like(tag, "'^sha256-[0-9a-f]{64}'") }}
{%- endmacro %}


{% macro digest_only(text) -%}
    case when {{ text }} like 'sha256:%' then {{ text }} end
{%- endmacro %}
