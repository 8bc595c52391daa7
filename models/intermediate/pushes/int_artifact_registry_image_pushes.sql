{{ config(enabled='cloud_audit' in logs(), materialized='view') }}
{%- set of_client = ['client_id', 'principal_id', 'image'] %}
{%- set in_session = 'partition by ' ~ of_client | join(', ') ~ ', session_started_micros' %}
with

writes as (

    select
        *,
        started_micros as ended_micros
    from {{ ref('pullstats', 'int_manifest_writes') }}

),

sessions as (

    {{ sessionize('writes', of=of_client, gap_seconds=var('push_session_gap_seconds')) }}

),

-- a tag comes last: after the blobs, and after the manifests that its index lists
numbered as (

    select
        *,
        coalesce(sum(case when tag is not null then 1 else 0 end) over (
            {{ in_session }} order by started_micros, request_key
            rows between unbounded preceding and 1 preceding
        ), 0) as push_number
    from sessions

),

pushes as (

    select
        {{ of_client | join(', ') }},
        any_value(client_network) as client_network,
        any_value(client_tool) as client_tool,
        any_value(client_version) as client_version,
        any_value(traffic_class) as traffic_class,
        any_value(principal_kind) as principal_kind,
        any_value(resource_name) as resource_name,
        max(tag) as tag,
        coalesce(
            max(case when tag is not null then digest end), {{ sole_value('digest') }}
        ) as manifest_digest,
        count(distinct digest) as manifest_count,
        min(started_micros) as started_micros,
        max(started_micros) as ended_micros
    from numbered
    group by {{ of_client | join(', ') }}, session_started_micros, push_number
    having count(digest) > 0

)

select
    {{ hash_of(of_client + ['started_micros', 'tag']) }} as push_id,
    *,
    case
        when tag is not null
            then lag(manifest_digest) over (
                partition by image, tag
                order by ended_micros, client_id, principal_id nulls last
            )
    end as previous_manifest_digest
from pushes
