{{ config(enabled='cloud_audit' in logs()) }}
{%- set payload = 'protopayload_auditlog.' %}
{%- set landed = source('artifact_registry', 'audit_logs') %}
{%- set tables = ([landed] if source_exists(landed) else []) + audit_sink_tables() %}
with

entries as (

    -- what the loader lands has the shape of a BigQuery sink's table
    {%- for table in tables or [none] %}
    {%- set is_landed = table == landed %}
    {%- if is_landed %}
    {%- set columns, arrival = none, '_partitiontime' %}
    {%- elif table %}
    {%- set columns = adapter.get_columns_in_relation(table) %}
    {%- set arrival = 'coalesce(entry.receivetimestamp, entry.timestamp)' %}
    {%- else %}
    {%- set columns, arrival = [], 'entry.timestamp' %}
    {%- endif %}
    {%- set micros = valid_micros(micros_of_timestamp('entry.timestamp'), arrival) %}
    select
        {{ audit_field(columns, 'insertId') }} as insert_id,
        {{ audit_field(columns, 'logName') }} as log_name,
        {{ audit_field(columns, payload ~ 'serviceName') }} as service_name,
        {{ audit_field(columns, payload ~ 'methodName') }} as method_name,
        {{ audit_field(columns, payload ~ 'resourceName') }} as audit_resource_name,
        {{ audit_field(columns, payload ~ 'authenticationInfo.principalEmail') }}
            as principal_email,
        {{ audit_field(columns, payload ~ 'authenticationInfo.principalSubject') }}
            as principal_subject,
        {{ audit_field(columns, payload ~ 'requestMetadata.callerIp') }} as caller_ip,
        {{ audit_field(columns, payload ~ 'requestMetadata.callerSuppliedUserAgent') }}
            as user_agent,
        {{ json_value(audit_field(columns, payload ~ 'requestJson'), 'requestUrl') }}
            as request_url,
        {{ audit_field(columns, payload ~ 'status.code') }} as grpc_status,
        {{ micros }} as started_micros,
        {%- if table and not is_landed %}
        {{ audit_sink_date(table) }} as event_date,
        {%- else %}
        cast({{ micros_to_timestamp(micros) }} as date) as event_date,
        {%- endif %}
        {{ arrival }} as loaded_at
    from {{ table or '(select cast(null as timestamp) as timestamp limit 0)' }} as entry
    {%- if table and not is_landed %}
    -- a limit on the day of a partition would prevent pruning
    where {{ micros }} > 0
    {%- endif %}
    {{ 'union all' if not loop.last }}
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
