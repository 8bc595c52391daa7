{{ config(
    enabled='cloud_audit' in logs(),
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['image'],
    meta={'restates': {'cloud_audit': [-1, 1]}},
) }}
{%- set restated = restated_days() %}
{%- set of_session = 'partition by session_key' %}
{%- set of_root = 'partition by session_key, root_number' %}
{%- set in_order = 'order by manifest_number' %}
{%- set in_time = 'order by started_micros, step_number, digest nulls last, request_key' %}
{%- set up_to_here = 'rows between unbounded preceding and current row' %}
{%- set in_one_go_micros = var('index_read_seconds') * 1000000 %}
with

reads as (

    select * from {{ ref('pullstats', 'int_manifest_reads_sessionized') }}
    where {{ is_restated('session_date', restated) }}

),

tag_lists as (

    select distinct session_id
    from reads
    where operation = 'list'

),

-- ordering few columns, and joining the others at the end, takes half the time of ordering all
steps as (

    select
        reads.request_key,
        {{ fingerprint(['reads.session_id']) }} as session_key,
        reads.operation,
        reads.digest,
        reads.tag,
        reads.object_kind = 'blob' as is_blob,
        reads.object_kind = 'manifest' and reads.operation = 'read' as is_get,
        coalesce({{ is_referrer_tag('reads.tag') }}, false) as is_by_referrer_tag,
        coalesce(tools.reads_one_platform, false) as is_of_one_platform,
        -- who goes through a list of tags reads in turn
        case
            when tools.pull_order != 'unknown' then tools.pull_order
            when tag_lists.session_id is not null then 'sequential'
            else 'unknown'
        end as pull_order,
        reads.started_micros,
        -- equal times: HEADs first, then manifests, then blobs
        case
            when reads.object_kind = 'blob' then 3
            when reads.operation = 'head' then 1
            else 2
        end as step_number
    from reads
    left join {{ ref('pullstats', 'client_tools') }} as tools on reads.client_tool = tools.tool
    left join tag_lists on reads.session_id = tag_lists.session_id

),

-- the number of earlier manifests and blobs gives the position, without another sort of the
-- blobs
numbered_steps as (

    select
        *,
        sum(case when is_blob then 0 else 1 end)
            over ({{ of_session }} {{ in_time }} {{ up_to_here }})
            as manifest_number,
        sum(case when is_blob then 1 else 0 end)
            over ({{ of_session }} {{ in_time }} {{ up_to_here }})
            as blob_number,
        lead(is_blob) over ({{ of_session }} {{ in_time }}) as is_before_blob
    from steps
    -- a cache asks for what an index lists before it gets that
    qualify not coalesce(
        operation = 'head'
        and tag is null
        and pull_order != 'parallel'
        and lag(is_get) over ({{ of_session }} {{ in_time }})
        and lead(is_get) over ({{ of_session }} {{ in_time }})
        and lead(digest) over ({{ of_session }} {{ in_time }}) = digest,
        false
    )

),

manifest_steps as (

    select
        *,
        max(case when operation = 'head' or is_get and tag is not null then 1 else 0 end)
            over ({{ of_session }}, digest) = 1 as is_named,
        max(case when is_by_referrer_tag then 1 else 0 end)
            over ({{ of_session }}, digest) = 1 as is_referrer,
        row_number() over ({{ of_session }}, is_get, digest {{ in_order }}) as read_number,
        lag(digest) over ({{ of_session }}, is_get, blob_number {{ in_order }}) as previous_digest,
        -- a program that pulls one platform reads its manifest at once
        is_of_one_platform and is_get and coalesce(
            started_micros - lag(started_micros) over ({{ of_session }}, is_get {{ in_order }})
            > {{ in_one_go_micros }}, true
        ) as is_new_index
    from numbered_steps
    where not is_blob

),

steps_by_index as (

    select
        *,
        is_get and not is_named and read_number = 1 as is_first_unnamed,
        sum(case when is_new_index then 1 else 0 end)
            over ({{ of_session }} {{ in_order }} {{ up_to_here }}) as index_number
    from manifest_steps

),

-- a client reads a child right after its index, before any blob; one that reads an index whole, the
-- blobs of one child before the next child
possible_children as (

    select
        *,
        is_first_unnamed and max(case
            when is_first_unnamed and not is_new_index and previous_digest != digest then 1
            else 0
        end) over ({{ of_session }}, index_number {{ in_order }} {{ up_to_here }}) = 1
            as is_first_of_child
    from steps_by_index

),

children_and_roots as (

    select
        *,
        max(case when is_first_of_child then 1 else 0 end)
            over ({{ of_session }}, is_get, digest) = 1 as is_child
    from possible_children

),

steps_with_root as (

    select
        *,
        is_get and not is_child as is_root,
        max(case when is_get and not is_child then manifest_number end)
            over ({{ of_session }} {{ in_order }} {{ up_to_here }}) as root_number
    from children_and_roots

),

-- manifests that are read in one go share the blobs that follow, unless the client is done with an
-- index before it reads the next
manifests as (

    select
        *,
        max(case when is_root then digest end) over ({{ of_root }}) as root_digest,
        max(case when is_root then started_micros end) over ({{ of_root }}) as root_micros,
        pull_order in ('parallel', 'unknown') and max(case
            when is_root and is_referrer or is_child and pull_order = 'unknown' then 1 else 0
        end) over ({{ of_root }}, blob_number) = 0 as shares_blobs
    from steps_with_root

),

-- of the manifests without a blob between them the last is the one before the blobs that follow
manifests_before_blobs as (

    select
        *,
        max(case when is_before_blob then root_micros end)
            over ({{ of_session }}, blob_number) as last_micros,
        max(case when is_before_blob and shares_blobs then root_digest end)
            over ({{ of_session }}, blob_number) as shared_digest
    from manifests

)

select
    reads.*,
    not numbered_steps.is_blob and coalesce(manifests.is_child, false) as is_child,
    manifests.root_digest,
    manifests.root_micros,
    case
        when numbered_steps.is_blob or not manifests.is_root then null
        when
            manifests.shares_blobs
            and manifests.last_micros - manifests.started_micros <= {{ in_one_go_micros }}
            then coalesce(manifests.shared_digest, manifests.digest)
        else manifests.digest
    end as contents_digest
from reads
inner join numbered_steps on reads.request_key = numbered_steps.request_key
left join manifests_before_blobs as manifests
    on
        numbered_steps.session_key = manifests.session_key
        and numbered_steps.manifest_number = manifests.manifest_number
