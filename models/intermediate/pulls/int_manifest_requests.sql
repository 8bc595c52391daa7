{{ config(
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['image'],
    meta={'restates': {'cloud_audit': [-2, 4]}},
) }}
{%- set restated = restated_days() %}
{%- set in_order = 'order by started_micros, step_number, tag, request_key' %}
{%- set memory_micros = 2 * 86400 * 1000000 %}
{%- set of_digest = 'partition by session_key, digest' %}
{%- set of_program = 'partition by program_key ' ~ in_order %}
with

reads as (

    select
        *,
        {{ fingerprint(['session_id']) }} as session_key,
        {{ fingerprint(['client_id', 'principal_id', 'image', 'digest']) }} as client_key,
        {{ fingerprint(['principal_id', 'client_tool', 'client_version', 'image', 'digest']) }}
            as program_key,
        case when operation = 'head' then coalesce(tag, '') end as head_tag,
        case when operation = 'head' then 1 else 2 end as step_number
    from {{ ref('pullstats', 'int_manifest_reads_rooted') }}
    where {{ is_restated('session_date', restated, before=3, after=1) }}

),

-- ordering few columns, and joining the others at the end, takes half the time of ordering all
requested as (

    select
        request_key,
        session_key,
        client_key,
        program_key,
        principal_id,
        operation,
        tag,
        head_tag,
        digest,
        step_number,
        started_micros,
        row_number() over ({{ of_digest }}, operation {{ in_order }}) as read_number,
        sum(case when operation = 'read' then 1 else 0 end) over ({{ of_digest }}) as gets,
        count(*) over ({{ of_digest }}, operation) as same_requests,
        count(tag) over ({{ of_digest }}, operation) as same_requests_by_tag,
        count(head_tag) over ({{ of_digest }}) as heads,
        sum(case when operation = 'head' then 1 else -1 end)
            over ({{ of_digest }} {{ in_order }} rows unbounded preceding) as open_heads,
        min(head_tag) over ({{ of_digest }}) as first_head_tag,
        max(head_tag) over ({{ of_digest }}) as last_head_tag,
        max(case when operation = 'read' then started_micros end) over (
            partition by client_key {{ in_order }} rows between unbounded preceding and 1 preceding
        ) as got_before_micros,
        lag(operation) over (partition by session_key {{ in_order }}) as previous_operation,
        lag(digest) over (partition by session_key {{ in_order }}) as previous_digest,
        lag(tag) over (partition by session_key {{ in_order }}) as previous_tag
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
        nullif(max(head_tag) over ({{ of_digest }}, read_number), '') as nth_head_tag,
        lag(tag) over ({{ of_program }}) as relayed_tag,
        -- behind a pool of addresses the HEAD comes from another one
        coalesce(
            operation = 'read' and heads = 0 and principal_id is not null
            and lag(operation) over ({{ of_program }}) = 'head'
            and lag(session_key) over ({{ of_program }}) != session_key
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
        operation = 'head' and (is_closed or lead(is_relayed, 1, false) over ({{ of_program }}))
            as is_head_of_get
    from matched

)

select
    reads.request_key,
    reads.session_id,
    reads.client_id,
    reads.client_network,
    reads.client_tool,
    reads.client_version,
    reads.client_class,
    reads.traffic_class,
    reads.principal_id,
    reads.principal_kind,
    reads.resource_name,
    reads.image,
    reads.operation,
    tagged.requested_tag as tag,
    reads.digest,
    reads.contents_digest,
    tagged.same_requests - tagged.read_number as later_attempts,
    -- asked for by tag after a failed HEAD, then by digest: still one attempt
    greatest(tagged.same_requests_by_tag, tagged.same_requests - tagged.same_requests_by_tag)
        as attempts,
    coalesce(tagged.got_before_micros >= reads.started_micros - {{ memory_micros }}, false)
        as is_got_before,
    coalesce(
        reads.started_micros between
        coalesce(written_tags.first_written_micros, written_digests.first_written_micros)
        - {{ var('push_session_gap_seconds') }} * 1000000
        and coalesce(written_tags.last_written_micros, written_digests.last_written_micros),
        false
    ) as is_before_write,
    coalesce(
        {{ regexp_like('reads.image', "'/(build)?cache$'") }}
        or (
            'ci' in (reads.traffic_class, reads.client_class)
            and {{ is_build_cache('reads.image', 'tagged.requested_tag') }}
        )
        or (reads.client_class = 'ci' and written_tags.reference is not null),
        false
    ) as is_of_cache,
    written_digests.reference is not null as is_digest_written,
    reads.started_micros,
    reads.session_date
from reads
inner join tagged on reads.request_key = tagged.request_key
left join {{ ref('pullstats', 'int_manifest_session_writes') }} as written_tags
    on
        reads.session_id = written_tags.session_id
        and tagged.requested_tag = written_tags.reference
        and {{ is_restated('written_tags.session_date', restated) }}
left join {{ ref('pullstats', 'int_manifest_session_writes') }} as written_digests
    on
        reads.session_id = written_digests.session_id
        and reads.digest = written_digests.reference
        and {{ is_restated('written_digests.session_date', restated) }}
where not tagged.is_head_of_get and {{ is_restated('reads.session_date', restated) }}
