{{ config(
    enabled='cloud_audit' in logs(),
    materialized='incremental',
    unique_key='vote_date',
    partition_by=by_day('vote_date'),
    cluster_by=['manifest_digest'],
    meta={'restates': {'cloud_audit': [-1, 1]}},
) }}
{%- set restated = restated_days() %}
{%- set of_push = 'partition by client_id, principal_id, image, write_number' %}
{%- set in_order = 'order by started_micros, step_number, digest, request_key' %}
with

contents as (

    select * from {{ ref('pullstats', 'int_manifest_contents') }}
    where
        root_digest != ''
        and leaf_count = 1
        and not is_scan
        and {{ is_restated('session_date', restated) }}

),

requests as (

    select
        *,
        case when object_kind = 'blob' then 1 else 2 end as step_number
    from {{ ref('pullstats', 'int_artifact_registry_requests') }}
    where
        (
            object_kind = 'blob' and operation = 'head'
            or object_kind = 'manifest' and operation = 'write' and status_code = 200
        )
        and {{ is_restated('event_date', restated, before=1) }}

),

client_tools as (

    select * from {{ ref('pullstats', 'client_tools') }}

),

-- when the config becomes known, the days of all requests for the manifest have another image id
manifest_requests as (

    select
        digest as manifest_digest,
        cast(null as string) as config_digest,
        'none' as vote,
        client_network,
        session_date as vote_date
    from {{ ref('pullstats', 'int_manifest_reads') }}
    where
        object_kind = 'manifest'
        and operation in ('read', 'head')
        and {{ is_restated('session_date', restated) }}

),

-- which blob a program read alone for a manifest, or before all others
reads as (

    select
        coalesce(contents.only_child_digest, contents.root_digest) as manifest_digest,
        case
            when contents.has_empty_config then {{ empty_config() }}
            else contents.first_blob_digest
        end as config_digest,
        case
            when contents.has_empty_config then 'empty'
            when contents.first_blob_digest is null then null
            when coalesce(client_tools.layers_only_read, '') != 'partial' then null
            when contents.requested_blob_count = 1 then 'alone'
            when client_tools.waits_for_config then 'waited'
            when client_tools.config_position = 'first' then 'first'
        end as vote,
        contents.client_network,
        contents.session_date as vote_date
    from contents
    left join client_tools on contents.client_tool = client_tools.tool

),

numbered_requests as (

    select
        *,
        coalesce(sum(case when object_kind = 'manifest' then 1 else 0 end) over (
            partition by client_id, principal_id, image {{ in_order }}
            rows between unbounded preceding and 1 preceding
        ), 0) as write_number
    from requests

),

-- before a client writes a blob it asks whether the registry has it
written_manifests as (

    select
        client_network,
        client_tool,
        object_kind,
        digest as manifest_digest,
        last_value(case when object_kind = 'blob' then digest end ignore nulls) over (
            {{ of_push }} {{ in_order }} rows between unbounded preceding and 1 preceding
        ) as config_digest,
        started_micros - last_value(
            case when object_kind = 'blob' then started_micros end ignore nulls
        ) over (
            {{ of_push }} {{ in_order }} rows between unbounded preceding and 1 preceding
        ) as micros_since_blob,
        event_date as vote_date
    from numbered_requests

),

writes as (

    select
        written_manifests.manifest_digest,
        written_manifests.config_digest,
        'written' as vote,
        written_manifests.client_network,
        written_manifests.vote_date
    from written_manifests
    inner join client_tools on written_manifests.client_tool = client_tools.tool
    where
        written_manifests.object_kind = 'manifest'
        and written_manifests.micros_since_blob
        <= {{ var('push_session_gap_seconds') }} * 1000000
        and client_tools.writes_config_last
        and {{ is_restated('vote_date', restated) }}

),

votes as (

    select * from manifest_requests
    union all
    select * from reads
    where vote is not null
    union all
    select * from writes

)

select
    manifest_digest,
    config_digest,
    vote,
    min(client_network) as least_network,
    max(client_network) as greatest_network,
    count(*) as vote_count,
    vote_date
from votes
where manifest_digest like 'sha256:%'
group by manifest_digest, config_digest, vote, vote_date
