{%- set fields = {
    'insert_id': 'insertId',
    'log_name': 'logName',
    'service_name': 'protoPayload.serviceName',
    'method_name': 'protoPayload.methodName',
    'audit_resource_name': 'protoPayload.resourceName',
    'principal_email': 'protoPayload.authenticationInfo.principalEmail',
    'principal_subject': 'protoPayload.authenticationInfo.principalSubject',
    'caller_ip': 'protoPayload.requestMetadata.callerIp',
    'user_agent': 'protoPayload.requestMetadata.callerSuppliedUserAgent',
    'request_url': 'protoPayload.request.requestUrl',
    'grpc_status': 'protoPayload.status.code',
} %}
{%- set paths = fields.values() | list + ['timestamp'] %}
with

-- an entry as a Cloud Storage sink writes it
landed as (

    select
        {{ json_fields('log_entry', paths) }} as fields,
        _partitiontime as loaded_at
    from {{ optional_source('artifact_registry', 'audit_logs') }}

),

parsed as (

    select
        {%- for name in fields %}
        {{ json_field('fields', loop.index) }} as {{ name }},
        {%- endfor %}
        {{ micros_of_text(json_field('fields', paths | length)) }} as logged_micros,
        loaded_at
    from landed

),

bounded as (

    select
        *,
        {{ valid_micros('logged_micros', 'loaded_at') }} as started_micros
    from parsed

),

entries as (

    select
        {{ fields.keys() | join(',\n        ') }},
        started_micros,
        cast({{ micros_to_timestamp('started_micros') }} as date) as event_date,
        loaded_at
    from bounded
    {%- for table in audit_sink_tables() %}
    {%- set columns = adapter.get_columns_in_relation(table) %}
    union all
    -- an entry as a BigQuery sink writes it
    select
        {%- for name, path in fields.items() %}
        {%- if name == 'request_url' %}
        {{ json_value(audit_sink_field(columns, 'protopayload_auditlog.requestJson'), 'requestUrl') }}
            as request_url,
        {%- else %}
        {{ audit_sink_field(columns, path | replace('protoPayload', 'protopayload_auditlog')) }}
            as {{ name }},
        {%- endif %}
        {%- endfor %}
        {{ micros_of_timestamp('sink.timestamp') }} as started_micros,
        {{ audit_sink_date(table) }} as event_date,
        coalesce(sink.receivetimestamp, sink.timestamp) as loaded_at
    from {{ table }} as sink
    -- the day of a partition can't be bounded: it would no longer prune
    where
        {{ valid_micros(
            micros_of_timestamp('sink.timestamp'), 'coalesce(sink.receivetimestamp, sink.timestamp)'
        ) }} > 0
    {%- endfor %}

)

select
    insert_id,
    log_name,
    service_name,
    method_name,
    audit_resource_name,
    {{ principal('principal_email', 'principal_subject') }} as principal,
    {{ caller_address('caller_ip') }} as client_ip,
    user_agent,
    request_url,
    case
        when grpc_status is not null
            then coalesce(cast({{ regexp_group('grpc_status', "'^([0-9]{1,9})$'") }} as int64), -1)
    end as grpc_status,
    started_micros,
    started_micros = 0 as has_invalid_number,
    event_date,
    loaded_at
from entries
