{%- set restated = restate_by_day(
    'session_date', follows=[ref('int_artifact_registry_requests')], before=1, after=1,
    cluster_by=['image'],
) %}
{%- set of_client = ['client_id', 'principal_id', 'image'] %}
{%- set in_order = 'order by started_micros, request_key' %}
{%- set up_to_here = in_order ~ ' rows between unbounded preceding and current row' %}
{%- set columns = [
    'request_key', 'session_id', 'client_id', 'principal_id', 'image', 'client_network',
    'client_tool', 'client_version', 'client_class', 'traffic_class', 'principal_kind',
    'resource_name', 'operation', 'object_kind', 'tag', 'digest', 'started_micros', 'session_date',
] %}
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
        *,
        {{ hash_of(of_client + ['session_started_micros']) }} as session_id,
        cast({{ micros_to_timestamp('session_started_micros') }} as date) as session_date,
        object_kind = 'manifest' and operation = 'read' as is_get
    from sessions

),

named as (

    select
        *,
        max(case when operation = 'head' or is_get and tag is not null then 1 else 0 end)
            over (partition by session_id, digest) = 1 as is_named,
        row_number() over (partition by session_id, operation, digest {{ in_order }})
            as read_number,
        lag(case when is_get then digest end)
            over (partition by session_id, operation {{ in_order }}) as previous_digest
    from identified
    where {{ is_restated('session_date', restated) }}

),

-- a client reads a child right after its index, before any blob
followed as (

    select
        *,
        is_get and not is_named and read_number = 1 as is_first_unnamed,
        max(case
            when is_get and not is_named and read_number = 1 and previous_digest != digest then 1
            else 0
        end) over (partition by session_id {{ up_to_here }}) = 1 as is_in_index
    from named

),

-- and an index whole, with the blobs of one child before the next child
resolved as (

    select
        *,
        max(case when is_first_unnamed and is_in_index then 1 else 0 end)
            over (partition by session_id, is_get, digest) = 1 as is_child
    from followed

)

select
    {{ columns | join(',\n    ') }},
    is_child,
    last_value(case when is_get and not is_child then digest end ignore nulls)
        over (partition by session_id {{ up_to_here }}) as root_digest
from resolved
