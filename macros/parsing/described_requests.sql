{% macro described_requests(relation) -%}
    select
        records.*,
        clients.client_id,
        clients.client_network,
        clients.client_tool,
        clients.client_version,
        {{ request_operation('operations.operation', 'clients.client_class') }} as operation,
        clients.client_class,
        objects.object_kind,
        case when objects.object_kind in ('blob', 'manifest') then objects.digest end as digest,
        case when objects.object_kind = 'tag' then objects.tag end as tag,
        coalesce(
            images.registry_host,
            case
                when objects.object_image is not null
                    then {{ bucket_registry_host('records.bucket_name') }}
            end
        ) as registry_host,
        case
            when images.registry_host is not null then images.image_path
            when objects.object_image is not null then
                coalesce({{ bucket_project('records.bucket_name') }} || '/', '')
                || objects.object_image
        end as image_path
    from {{ relation }} as records
    inner join (
        select
            object_name,
            {{ object_kind('object_name') }} as object_kind,
            {{ object_digest('object_name') }} as digest,
            {{ object_image('object_name') }} as object_image,
            {{ object_tag('object_name') }} as tag
        from (select distinct object_name from {{ relation }}) as known
    ) as objects on coalesce(records.object_name, '') = coalesce(objects.object_name, '')
    inner join (
        {{ classified_clients(relation) }}
    ) as clients
        on
            coalesce(records.client_ip, '') = coalesce(clients.client_ip, '')
            and coalesce(records.user_agent, '') = coalesce(clients.user_agent, '')
    left join {{ ref('gcs_operations') }} as operations
        on records.gcs_operation = operations.cs_operation
    left join (
        select
            referer_image,
            {{ referer_image_host('referer_image') }} as registry_host,
            {{ referer_image_path('referer_image') }} as image_path
        from (select distinct referer_image from {{ relation }}) as known
    ) as images on records.referer_image = images.referer_image
{%- endmacro %}
