{%- set restated = restate_by_day(
    'session_date', follows=[ref('int_artifact_registry_requests')], before=1, after=1,
    cluster_by=['image'],
) %}
{%- set of_client = ['client_id', 'principal_id', 'image'] %}
{%- set of_session = 'partition by client_and_image, session_started_micros' %}
{%- set in_order = 'order by started_micros, request_key' %}
{%- set up_to_here = in_order ~ ' rows between unbounded preceding and current row' %}
with

requests as (

    select * from {{ ref('int_artifact_registry_requests') }}
    where {{ is_restated('event_date', restated, before=1, after=1) }}

),

-- with the manifests: the blobs that they lead to, and what tells a read that is no pull
reads as (

    select
        *,
        -- an answer without a digest is identified by its tag
        case when object_kind = 'manifest' then coalesce(digest, tag) else digest end as read_digest
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

-- ordering these columns, and joining the others at the end, takes half the time of ordering all
steps as (

    select
        request_key,
        {{ fingerprint(of_client) }} as client_and_image,
        operation,
        object_kind = 'manifest' and operation = 'read' as is_get,
        tag is not null as is_by_tag,
        read_digest,
        started_micros,
        started_micros as ended_micros
    from reads

),

sessions as (

    {{ sessionize('steps', of=['client_and_image'], gap_seconds=var('pull_session_gap_seconds')) }}

),

named as (

    select
        *,
        cast({{ micros_to_timestamp('session_started_micros') }} as date) as session_date,
        max(case when operation = 'head' or is_get and is_by_tag then 1 else 0 end)
            over ({{ of_session }}, read_digest) = 1 as is_named,
        row_number() over ({{ of_session }}, operation, read_digest {{ in_order }}) as read_number,
        lag(case when is_get then read_digest end)
            over ({{ of_session }}, operation {{ in_order }}) as previous_digest
    from sessions

),

-- a client reads a child right after its index, before any blob
followed as (

    select
        *,
        is_get and not is_named and read_number = 1 as is_first_unnamed,
        max(case
            when
                is_get and not is_named and read_number = 1 and previous_digest != read_digest
                then 1
            else 0
        end) over ({{ of_session }} {{ up_to_here }}) = 1 as is_in_index
    from named
    where {{ is_restated('session_date', restated) }}

),

-- and an index whole, with the blobs of one child before the next child
resolved as (

    select
        *,
        max(case when is_first_unnamed and is_in_index then 1 else 0 end)
            over ({{ of_session }}, is_get, read_digest) = 1 as is_child
    from followed

),

rooted as (

    select
        *,
        last_value(case when is_get and not is_child then read_digest end ignore nulls)
            over ({{ of_session }} {{ up_to_here }}) as root_digest
    from resolved

)

select
    reads.request_key,
    {{ hash_of([
        'reads.client_id', 'reads.principal_id', 'reads.image', 'rooted.session_started_micros',
    ]) }} as session_id,
    reads.client_id,
    reads.principal_id,
    reads.image,
    reads.client_network,
    reads.client_tool,
    reads.client_version,
    reads.client_class,
    reads.traffic_class,
    reads.principal_kind,
    reads.resource_name,
    reads.operation,
    reads.object_kind,
    reads.tag,
    reads.read_digest as digest,
    rooted.is_child,
    rooted.root_digest,
    reads.started_micros,
    rooted.session_date
from rooted
inner join reads on rooted.request_key = reads.request_key
