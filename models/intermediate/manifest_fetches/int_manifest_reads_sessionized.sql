{{ config(
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['image'],
    meta={'restates': {'cloud_audit': [-1, 1]}},
) }}
{%- set restated = restated_days() %}
{%- set of_client = ['client_id', 'principal_id', 'image'] %}
{%- set is_get = "object_kind = 'manifest' and operation = 'read'" %}
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
        session_id,
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
session_reads as (

    select
        session_id,
        session_date,
        any_value(client_id) as client_id,
        any_value(principal_id) as principal_id,
        any_value(image) as image,
        any_value(client_tool) as client_tool,
        any_value(coalesce(client_version, '')) as client_version,
        {{ count_if(is_get) }} as get_count,
        {{ count_if("object_kind = 'blob'") }} as blob_count,
        min(case when object_kind = 'blob' then started_micros end) as first_blob_micros
    from numbered
    where principal_id is not null
    group by session_id, session_date

),

pooled_sessions as (

    select
        blobs.session_id,
        manifests.session_id as manifest_session_id,
        manifests.client_id as manifest_client_id
    from session_reads as blobs
    inner join session_reads as manifests
        on
            blobs.session_date = manifests.session_date
            and blobs.principal_id = manifests.principal_id
            and blobs.client_tool = manifests.client_tool
            and blobs.client_version = manifests.client_version
            and blobs.image = manifests.image
    inner join numbered as gets
        on manifests.session_id = gets.session_id
    where
        blobs.blob_count > 0
        and blobs.get_count = 0
        and manifests.blob_count <= 1
        and gets.object_kind = 'manifest'
        and gets.operation = 'read'
        and blobs.first_blob_micros - gets.started_micros
        between 0 and {{ var('index_read_seconds') }} * 1000000
    qualify row_number() over (
        partition by blobs.session_id
        order by gets.started_micros desc, gets.request_key desc
    ) = 1

)

-- the blobs go with the client that asked for the manifest
select
    numbered.* replace (
        coalesce(pooled_sessions.manifest_session_id, numbered.session_id) as session_id,
        coalesce(pooled_sessions.manifest_client_id, numbered.client_id) as client_id
    )
from numbered
left join pooled_sessions
    on
        numbered.object_kind = 'blob'
        and numbered.session_id = pooled_sessions.session_id
where {{ is_restated('numbered.session_date', restated) }}
