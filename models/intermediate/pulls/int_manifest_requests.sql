{%- set restated = restate_by_day(
    'session_date', follows=[ref('int_manifest_reads_rooted')], before=1, after=1,
    cluster_by=['image'],
) %}
{%- set in_order = 'order by started_micros, request_key' %}
{%- set of_digest = 'partition by session_id, digest' %}
{%- set of_program = 'partition by principal_id, client_tool, client_version, image, digest '
    ~ in_order %}
with

reads as (

    select * from {{ ref('int_manifest_reads_rooted') }}
    where {{ is_restated('session_date', restated, before=1, after=1) }}

),

requested as (

    select
        *,
        row_number() over ({{ of_digest }}, operation {{ in_order }}) as read_number,
        -- asked for by tag after a failed HEAD, then by digest: still one attempt
        sum(case when operation = 'read' then 1 else 0 end) over ({{ of_digest }}) as gets,
        sum(case when operation = 'read' and tag is not null then 1 else 0 end)
            over ({{ of_digest }}) as gets_by_tag,
        sum(case when operation = 'head' then 1 else 0 end) over ({{ of_digest }}) as heads,
        sum(case when operation = 'head' then 1 else -1 end) over (
            {{ of_digest }} {{ in_order }} rows between unbounded preceding and current row
        ) as open_heads,
        min(case when operation = 'head' then coalesce(tag, '') end) over ({{ of_digest }})
            as first_head_tag,
        max(case when operation = 'head' then coalesce(tag, '') end) over ({{ of_digest }})
            as last_head_tag,
        lag(operation) over (partition by session_id {{ in_order }}) as previous_operation,
        lag(digest) over (partition by session_id {{ in_order }}) as previous_digest,
        lag(tag) over (partition by session_id {{ in_order }}) as previous_tag
    from reads
    where object_kind = 'manifest' and operation in ('head', 'read') and not is_child

),

matched as (

    select
        *,
        -- a GET closes the last HEAD before it that is still open
        coalesce(open_heads > min(open_heads) over (
            {{ of_digest }} {{ in_order }} rows between 1 following and unbounded following
        ), false) as is_closed,
        max(case when operation = 'head' then tag end) over ({{ of_digest }}, read_number)
            as nth_head_tag,
        lag(tag) over ({{ of_program }}) as relayed_tag,
        -- behind a pool of addresses the HEAD comes from another one
        coalesce(
            operation = 'read' and heads = 0 and principal_id is not null
            and lag(operation) over ({{ of_program }}) = 'head'
            and lag(session_id) over ({{ of_program }}) != session_id
            and started_micros - lag(started_micros) over ({{ of_program }})
            <= {{ var('index_read_seconds') }} * 1000000,
            false
        ) as is_relayed
    from requested

),

tagged as (

    select
        *,
        case
            when operation = 'head' or tag is not null then tag
            -- several nodes ask by several tags first, then read
            when open_heads >= 0 and heads = gets then nth_head_tag
            when
                previous_digest in (digest, previous_tag)
                and (previous_operation = 'head' or previous_tag is not null)
                then previous_tag
            -- a HEAD was open until now: one by this tag, if they all were
            when open_heads >= 0 and first_head_tag = last_head_tag then nullif(first_head_tag, '')
            when is_relayed then relayed_tag
        end as requested_tag,
        operation = 'head'
        and (is_closed or coalesce(lead(is_relayed) over ({{ of_program }}), false))
            as is_head_of_get
    from matched

),

-- what the client itself wrote in the session: a build's cache, a tag that it moved
written as (

    select
        session_id,
        tag as reference
    from reads
    where operation = 'write'
    union distinct
    select
        session_id,
        digest as reference
    from reads
    where operation = 'write'

)

select
    tagged.request_key,
    tagged.session_id,
    tagged.client_id,
    tagged.client_network,
    tagged.client_tool,
    tagged.client_version,
    tagged.client_class,
    tagged.traffic_class,
    tagged.principal_id,
    tagged.principal_kind,
    tagged.resource_name,
    tagged.image,
    tagged.operation,
    tagged.requested_tag as tag,
    tagged.digest,
    tagged.contents_digest,
    tagged.gets - tagged.read_number as later_gets,
    greatest(tagged.gets_by_tag, tagged.gets - tagged.gets_by_tag) as attempts,
    written_tags.reference is not null as is_tag_written,
    written_tags.reference is not null
    or {{ is_build_cache('tagged.image', 'tagged.requested_tag') }} as is_of_cache,
    written_digests.reference is not null as is_digest_written,
    tagged.started_micros,
    tagged.session_date
from tagged
left join written as written_tags
    on
        tagged.session_id = written_tags.session_id
        and tagged.requested_tag = written_tags.reference
left join written as written_digests
    on
        tagged.session_id = written_digests.session_id
        and tagged.digest = written_digests.reference
where
    not tagged.is_head_of_get
    and {{ is_restated('tagged.session_date', restated) }}
