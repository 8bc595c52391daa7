{%- set restated = restate_by_day(
    'session_date', follows=[ref('int_artifact_registry_requests')], before=1, after=1,
    cluster_by=['image'],
) %}
{%- set of_client = ['client_id', 'principal_id', 'image'] %}
with

requests as (

    select * from {{ ref('int_artifact_registry_requests') }}
    where {{ is_restated('event_date', restated, before=1, after=1) }}

),

-- with the manifests: the blobs that they lead to, and what tells a read that is no pull
reads as (

    select
        request_key,
        {{ of_client | join(', ') }},
        client_network,
        client_tool,
        client_version,
        client_class,
        traffic_class,
        principal_kind,
        resource_name,
        operation,
        object_kind,
        tag,
        -- an answer without a digest is identified by its tag
        case when object_kind = 'manifest' then coalesce(digest, tag) else digest end as digest,
        started_micros,
        started_micros as ended_micros,
        {{ midnight_micros('started_micros') }} as midnight_micros
    from requests
    where
        package_format = 'docker'
        and status_code = 200
        and image is not null
        and (
            object_kind = 'manifest' and operation in ('read', 'head', 'write')
            or object_kind = 'blob' and operation = 'read'
            or object_kind = 'tag' and operation = 'list'
        )

),

sessions as (

    {{ sessionize('reads', of=of_client, gap_seconds=var('pull_session_gap_seconds')) }}

),

identified as (

    select
        request_key,
        {{ hash_of(of_client + ['session_started_micros']) }} as session_id,
        {{ of_client | join(', ') }},
        client_network,
        client_tool,
        client_version,
        client_class,
        traffic_class,
        principal_kind,
        resource_name,
        operation,
        object_kind,
        tag,
        digest,
        started_micros,
        cast({{ micros_to_timestamp('session_started_micros') }} as date) as session_date
    from sessions

),

whole_sessions as (

    select * from identified
    where {{ is_restated('session_date', restated) }}

),

resolved as (

    {{ resolve_index_reads('whole_sessions') }}

)

select * from resolved
