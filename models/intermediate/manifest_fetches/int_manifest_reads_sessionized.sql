{{ config(
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['image'],
    meta={'restates': {'cloud_audit': [-1, 1]}},
) }}
{%- set restated = restated_days() %}
{%- set of_client = ['client_id', 'principal_id', 'image'] %}
with

requests as (

    select * from {{ ref('pullstats', 'int_artifact_registry_requests') }}
    where {{ is_restated('event_date', restated, before=1, after=1) }}

),

-- with the manifests: the blobs that they lead to, and the signs of a read that is no pull
reads as (

    select
        *,
        -- an answer without a digest is identified by its tag
        case when object_kind = 'manifest' then coalesce(digest, tag) else digest end
            as read_digest,
        started_micros as ended_micros
    from requests
    where
        package_format = 'docker'
        and image is not null
        and (
            object_kind = 'blob' and operation = 'read'
            or status_code = 200 and (
                object_kind = 'manifest' and operation in ('read', 'head', 'write')
                or object_kind = 'tag' and operation = 'list'
            )
        )

),

sessions as (

    {{ sessionize('reads', of=of_client, gap_seconds=var('pull_session_gap_seconds')) }}

),

numbered as (

    select
        request_key,
        {{ hash_of(of_client + ['session_started_micros']) }} as session_id,
        client_id,
        principal_id,
        image,
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
        read_digest as digest,
        status_code != 200 as is_refused,
        started_micros,
        cast({{ micros_to_timestamp('session_started_micros') }} as date) as session_date
    from sessions

),

-- behind a pool of addresses a program gets a manifest by one address and its blobs by another
blob_sessions as (

    select
        session_id,
        session_date,
        any_value(principal_id) as principal_id,
        any_value(client_tool) as client_tool,
        any_value(client_version) as client_version,
        any_value(image) as image,
        min(case when object_kind = 'blob' then started_micros end) as first_blob_micros
    from numbered
    where principal_id is not null
    group by session_id, session_date
    having
        {{ count_if("object_kind = 'blob'") }} > 0
        and {{ count_if("object_kind = 'manifest' and operation = 'read'") }} = 0

),

manifest_sessions as (

    select
        session_id,
        session_date
    from numbered
    where principal_id is not null
    group by session_id, session_date
    having
        {{ count_if("object_kind = 'blob'") }} <= 1
        and {{ count_if("object_kind = 'manifest' and operation = 'read'") }} > 0

),

pooled_sessions as (

    select
        blob_sessions.session_id,
        gets.session_id as manifest_session_id,
        gets.client_id as manifest_client_id
    from blob_sessions
    inner join numbered as gets
        on
            blob_sessions.session_date = gets.session_date
            and blob_sessions.principal_id = gets.principal_id
            and blob_sessions.client_tool = gets.client_tool
            and coalesce(blob_sessions.client_version, '') = coalesce(gets.client_version, '')
            and blob_sessions.image = gets.image
    inner join manifest_sessions on gets.session_id = manifest_sessions.session_id
    where
        gets.object_kind = 'manifest'
        and gets.operation = 'read'
        and blob_sessions.first_blob_micros - gets.started_micros
        between 0 and {{ var('index_read_seconds') }} * 1000000
    qualify row_number() over (
        partition by blob_sessions.session_id
        order by gets.started_micros desc, gets.request_key desc
    ) = 1

)

-- the blobs go with the client that asked for the manifest
select
    numbered.request_key,
    coalesce(pooled_sessions.manifest_session_id, numbered.session_id) as session_id,
    coalesce(pooled_sessions.manifest_client_id, numbered.client_id) as client_id,
    numbered.principal_id,
    numbered.image,
    numbered.client_network,
    numbered.client_tool,
    numbered.client_version,
    numbered.client_class,
    numbered.traffic_class,
    numbered.principal_kind,
    numbered.resource_name,
    numbered.operation,
    numbered.object_kind,
    numbered.tag,
    numbered.digest,
    numbered.is_refused,
    numbered.started_micros,
    numbered.session_date
from numbered
left join pooled_sessions
    on
        numbered.object_kind = 'blob'
        and numbered.session_id = pooled_sessions.session_id
where {{ is_restated('numbered.session_date', restated) }}
