{{ config(
    enabled='cloud_audit' in logs(),
    materialized='incremental',
    unique_key='vote_date',
    partition_by=by_day('vote_date'),
    cluster_by=['manifest_digest'],
    meta={'restates': {'cloud_audit': [-1, 1]}},
) }}
{%- set restated = restated_days() %}
{%- set of_client = 'partition by client_id, principal_id, image' %}
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

-- before a client writes a blob it asks whether the registry has it
requests_in_order as (

    select
        *,
        lag(object_kind) over ({{ of_client }} {{ in_order }}) as previous_kind,
        lag(digest) over ({{ of_client }} {{ in_order }}) as previous_digest,
        started_micros - lag(started_micros) over ({{ of_client }} {{ in_order }})
            as micros_since_previous
    from requests

),

writes as (

    select
        written.digest as manifest_digest,
        written.previous_digest as config_digest,
        'written' as vote,
        written.client_network,
        written.event_date as vote_date
    from requests_in_order as written
    inner join client_tools on written.client_tool = client_tools.tool
    where
        written.object_kind = 'manifest'
        and written.previous_kind = 'blob'
        and written.micros_since_previous <= {{ var('push_session_gap_seconds') }} * 1000000
        and client_tools.writes_config_last
        and {{ is_restated('written.event_date', restated) }}

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
