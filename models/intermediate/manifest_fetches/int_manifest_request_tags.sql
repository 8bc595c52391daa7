{{ config(
    enabled='cloud_audit' in logs(),
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['image'],
    meta={'restates': {'cloud_audit': [-1, 1]}},
) }}
{%- set restated = restated_days() %}
{%- set in_order = 'order by step_number' %}
{%- set of_session = 'partition by session_key, written_micros is null' %}
{%- set of_digest = 'partition by digest_key' %}
{%- set of_tag = 'partition by session_key, requested_tag' %}
with

-- writes are among them: a client asks for a manifest before it moves the tag
requests as (

    select * from {{ ref('pullstats', 'int_manifest_reads') }}
    where
        object_kind = 'manifest'
        and not is_child
        and {{ is_restated('session_date', restated) }}

),

-- ordering few columns, and joining the others at the end, is faster
manifest_requests as (

    select
        request_key,
        operation,
        tag,
        digest,
        started_micros,
        session_date,
        {{ fingerprint(['session_id']) }} as session_key,
        {{ fingerprint(['session_id', 'digest']) }} as digest_key,
        case when operation = 'head' then coalesce(tag, '') end as head_tag,
        case when operation = 'write' then started_micros end as written_micros,
        row_number() over (
            partition by session_id
            order by
                started_micros,
                case operation when 'head' then 1 when 'read' then 2 else 3 end,
                tag nulls last,
                request_key
        ) as step_number
    from requests

),

-- of each digest in a session: its HEADs and GETs, and how many HEADs are still open
requests_by_digest as (

    select
        *,
        row_number() over ({{ of_digest }}, operation {{ in_order }}) as request_number,
        count(*) over ({{ of_digest }}, operation) as same_requests,
        count(tag) over ({{ of_digest }}, operation) as same_requests_by_tag,
        sum(case when operation = 'read' then 1 else 0 end) over ({{ of_digest }}) as get_count,
        count(head_tag) over ({{ of_digest }}) as head_count,
        min(head_tag) over ({{ of_digest }}) as first_head_tag,
        max(head_tag) over ({{ of_digest }}) as last_head_tag,
        max(written_micros) over ({{ of_digest }}) is not null as is_digest_written,
        sum(case operation when 'head' then 1 when 'read' then -1 else 0 end)
            over ({{ of_digest }} {{ in_order }} rows unbounded preceding) as open_heads,
        lag(operation) over ({{ of_session }} {{ in_order }}) as previous_operation,
        lag(digest) over ({{ of_session }} {{ in_order }}) as previous_digest,
        lag(tag) over ({{ of_session }} {{ in_order }}) as previous_tag
    from manifest_requests

),

heads_and_gets as (

    select
        *,
        -- a GET closes the last HEAD before it that is still open
        coalesce(open_heads > min(open_heads) over (
            {{ of_digest }} {{ in_order }} rows between 1 following and unbounded following
        ), false) as is_closed_by_get,
        nullif(max(head_tag) over ({{ of_digest }}, request_number), '') as nth_head_tag,
        -- a client that has the index asks for its tag, then for the manifest of a platform
        operation = 'read'
        and tag is null
        and head_count = 0
        and previous_operation = 'head'
        and coalesce(
            lag(get_count) over ({{ of_session }} {{ in_order }}) = 0
            and started_micros - lag(started_micros) over ({{ of_session }} {{ in_order }})
            <= {{ var('index_read_seconds') }} * 1000000,
            false
        ) as has_head_of_index
    from requests_by_digest

),

-- the first rule that holds gives the tag
tagged_requests as (

    select
        *,
        case
            when operation != 'read' or tag is not null then 'own'
            -- several nodes ask by several tags first, then read
            when open_heads >= 0 and head_count = get_count then 'head_of_same_number'
            when
                previous_digest in (digest, previous_tag)
                and (previous_operation = 'head' or previous_tag is not null)
                then 'previous_request'
            when has_head_of_index then 'head_of_index'
            -- no GET followed a HEAD until now; if all of these named this tag, so
            -- does the GET
            when open_heads >= 0 and first_head_tag = last_head_tag then 'only_tag_of_heads'
            else 'none'
        end as tag_rule,
        operation = 'head' and (
            is_closed_by_get
            or lead(has_head_of_index, 1, false) over ({{ of_session }} {{ in_order }})
        ) as is_head_of_get
    from heads_and_gets

),

named_requests as (

    select
        *,
        case tag_rule
            when 'own' then tag
            when 'head_of_same_number' then nth_head_tag
            when 'previous_request' then previous_tag
            when 'head_of_index' then previous_tag
            when 'only_tag_of_heads' then nullif(first_head_tag, '')
        end as requested_tag
    from tagged_requests

),

-- when the client wrote anything, and the tag, in the session
requests_and_writes as (

    select
        *,
        max(written_micros) over (partition by session_key) as last_written_micros,
        min(written_micros) over ({{ of_tag }}) as tag_first_written_micros,
        max(written_micros) over ({{ of_tag }}) as tag_last_written_micros
    from named_requests

)

select
    requests.request_key,
    requests.session_id,
    requests.client_id,
    requests.client_network,
    requests.client_tool,
    requests.client_version,
    requests.client_class,
    requests.traffic_class,
    requests.principal_id,
    requests.principal_kind,
    requests.resource_name,
    requests.image,
    requests.operation,
    tagged.requested_tag,
    tagged.tag_rule,
    requests.digest,
    requests.contents_digest,
    tagged.same_requests - tagged.request_number as later_attempts,
    -- asked for by tag after a failed HEAD, then by digest: still one attempt
    greatest(tagged.same_requests_by_tag, tagged.same_requests - tagged.same_requests_by_tag)
        as attempts,
    coalesce(case
        when tagged.requested_tag is null
            then requests.started_micros < tagged.last_written_micros
        else requests.started_micros between
            tagged.tag_first_written_micros - {{ var('push_session_gap_seconds') }} * 1000000
            and tagged.tag_last_written_micros
    end, false) as is_before_write,
    tagged.requested_tag is not null and tagged.tag_first_written_micros is not null
        as is_tag_written,
    tagged.is_digest_written,
    requests.started_micros,
    requests.session_date
from requests
inner join requests_and_writes as tagged on requests.request_key = tagged.request_key
where
    requests.operation != 'write'
    and not tagged.is_head_of_get
