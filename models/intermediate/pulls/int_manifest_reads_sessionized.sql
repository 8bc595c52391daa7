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

-- with the manifests: the blobs that they lead to, and what tells a read that is no pull
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

)

select * from numbered
where {{ is_restated('session_date', restated) }}
