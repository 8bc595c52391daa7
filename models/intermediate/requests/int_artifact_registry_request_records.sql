{{ config(
    enabled='cloud_audit' in logs(),
    materialized='incremental',
    unique_key='event_date',
    partition_by=by_day('event_date'),
    cluster_by=['resource_name', 'object_kind'],
    full_refresh=none if var('rebuild_requests') else false,
    meta={
        'log_source': 'cloud_audit',
        'raw': 'stg_artifact_registry__audit_logs',
        'restates': {'cloud_audit': [0, 0]},
    },
) }}
{%- set restated = restated_days() %}
{%- set parsed_columns = [
    'request_key', 'client_id', 'client_network', 'client_tool', 'client_version', 'client_class',
    'traffic_class', 'principal_id', 'principal_kind', 'package_format', 'operation',
    'object_kind', 'resource_name', 'image', 'tag', 'digest', 'status_code', 'started_micros',
    'event_date', 'loaded_at',
] %}
with

logs as (

    select * from {{ ref('pullstats', 'stg_artifact_registry__audit_logs') }}
    where
        {{ is_restated('event_date', restated) }}
        {%- if is_incremental() %}
        and loaded_at > {{ timestamp_literal(restated.loaded_after) }}
        {%- endif %}

),

records as {{ materialized_cte() }}

    select
        {{ hash_of(['log_name', 'insert_id', 'started_micros']) }} as request_key,
        service_name,
        method_name,
        audit_resource_name,
        request_url,
        user_agent,
        principal,
        coalesce(client_ip, principal) as client_ip,
        coalesce(grpc_status, 0) as grpc_code,
        started_micros,
        event_date,
        loaded_at
    from logs

),

-- addresses, agents, principals and paths are parsed once per distinct value
clients as (

    {{ classified_clients('records') }}

),

principals as (

    select
        logged.principal,
        {{ principal_kind('logged.principal') }} as principal_kind,
        {{ principal_id('logged.principal', 'client_salt.salt') }} as principal_id,
        rules.traffic_class
    from (select distinct principal from records) as logged
    cross join {{ source('private', 'client_salt') }} as client_salt
    left join {{ ref('pullstats', 'principals') }} as rules
        on {{ regexp_like('logged.principal', 'rules.principal_pattern') }}
    qualify row_number() over (partition by logged.principal order by rules.priority) = 1

),

paths as (

    select
        audit_resource_name,
        request_url,
        {{ registry_repository('audit_resource_name') }} as resource_name,
        {{ valid_image(image_from_audit_entry('audit_resource_name', 'request_url')) }} as image,
        {{ requested_reference('request_url') }} as reference,
        {{ valid_tag(requested_reference('request_url')) }} as tag,
        {{ regexp_group('audit_resource_name', "'@(sha256:[0-9a-f]{64})$'") }} as resolved_digest
    from (
        select distinct
            audit_resource_name,
            request_url
        from records
    ) as distinct_paths

),

parsed as (

    select
        records.request_key,
        clients.client_id,
        clients.client_network,
        clients.client_tool,
        clients.client_version,
        clients.client_class,
        {{ audit_traffic_class(
            'methods.operation', 'records.principal', 'principals.traffic_class',
            'principals.principal_kind', 'clients.client_class'
        ) }} as traffic_class,
        principals.principal_id,
        principals.principal_kind,
        {{ package_format('records.service_name', 'records.method_name') }} as package_format,
        coalesce(methods.operation, 'other') as operation,
        coalesce(methods.object_kind, 'other') as object_kind,
        coalesce(paths.resource_name, records.service_name) as resource_name,
        case when methods.object_kind is not null then paths.image end as image,
        case when methods.object_kind in ('manifest', 'tag') then paths.tag end as tag,
        coalesce(paths.resolved_digest, {{ digest_only('paths.reference') }}) as digest,
        coalesce(statuses.http_status, 500) as status_code,
        records.started_micros,
        records.event_date,
        records.loaded_at
    from records
    inner join clients
        on
            coalesce(records.client_ip, '') = coalesce(clients.client_ip, '')
            and coalesce(records.user_agent, '') = coalesce(clients.user_agent, '')
    inner join principals on coalesce(records.principal, '') = coalesce(principals.principal, '')
    inner join paths
        on
            coalesce(records.audit_resource_name, '') = coalesce(paths.audit_resource_name, '')
            and coalesce(records.request_url, '') = coalesce(paths.request_url, '')
    left join {{ ref('pullstats', 'artifact_registry_methods') }} as methods
        on
            records.method_name = methods.method_name
            and records.service_name = 'artifactregistry.googleapis.com'
    left join {{ ref('pullstats', 'grpc_statuses') }} as statuses
        on records.grpc_code = statuses.grpc_code

),

received as (

    {{ with_kept_rows('parsed', parsed_columns, restated, read='records') }}

)

select
    *,
    -- an entry that arrives in two ways at the same time can differ in the suffix of its
    -- user agent
    row_number() over (
        partition by request_key
        order by
            loaded_at, client_tool, client_version nulls last, client_class,
            client_network nulls last, resource_name, image nulls last, tag nulls last,
            digest nulls last, status_code, client_id, principal_id nulls last
    ) > 1 as is_redelivery
from received
