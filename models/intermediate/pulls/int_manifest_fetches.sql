{#- without blobs the neighboring days tell which manifest is an index #}
{%- set days_beside = 0 if var('audit_log_has_blobs') else 1 %}
{%- set restated = restate_by_day(
    'session_date', follows=[ref('int_manifest_requests')], before=days_beside, after=days_beside,
    cluster_by=['image', 'fetch_kind'],
) %}
with

requests as (

    select * from {{ ref('int_manifest_requests') }}
    where {{ is_restated('session_date', restated, before=days_beside, after=days_beside) }}

),

reads as (

    select * from {{ ref('int_manifest_reads_sessionized') }}
    where {{ is_restated('session_date', restated, before=days_beside, after=days_beside) }}

),

sessions as (

    select
        session_id,
        {{ count_if("object_kind = 'manifest' and operation = 'read'") }} as gets,
        {{ count_if("object_kind = 'blob'") }} as blob_reads,
        {{ count_if("operation = 'list'") }} as tag_lists,
        max(case when operation = 'write' then started_micros end) as last_written_micros
    from reads
    group by session_id

),

blobs as (

    {{ count_blob_readers('reads') }}

),

children as (

    select
        session_id,
        root_digest,
        digest,
        row_number() over (
            partition by session_id, root_digest order by started_micros desc, request_key desc
        ) - 1 as later_children,
        count(*) over (partition by session_id, root_digest) as child_count
    from reads
    where is_child

),

indexes as (

    select
        session_id,
        root_digest,
        count(*) as child_count,
        {{ sole_value('digest') }} as only_child
    from children
    group by session_id, root_digest

),

described as (

    select
        requests.*,
        indexes.child_count,
        indexes.only_child,
        {{ 'false' if var('audit_log_has_blobs') else is_known_index('requests', 'reads') }}
            as is_known_index
    from requests
    left join indexes
        on
            requests.session_id = indexes.session_id
            and requests.digest = indexes.root_digest

),

judged as (

    select
        described.*,
        blobs.blob_count,
        blobs.blob_reads,
        blobs.last_micros,
        {{ clients_of_session('described', 'blobs', 'client_tools') }} as session_clients,
        {{ manifest_fetch_kind('described', 'sessions', 'blobs', 'client_tools') }} as fetch_kind
    from described
    inner join sessions on described.session_id = sessions.session_id
    left join blobs
        on
            described.session_id = blobs.session_id
            and case when described.operation = 'read' then described.digest else '' end
            = blobs.root_digest
    left join {{ ref('client_tools') }} as client_tools
        on described.client_tool = client_tools.tool

)

select
    judged.request_key as fetch_id,
    judged.session_id,
    judged.image,
    judged.tag,
    case when judged.child_count > 0 then judged.digest end as index_digest,
    case
        when judged.child_count is null then judged.digest
        else coalesce(judged.only_child, children.digest)
    end as manifest_digest,
    judged.client_id,
    judged.client_network,
    judged.client_tool,
    judged.client_version,
    judged.traffic_class,
    judged.principal_id,
    judged.principal_kind,
    judged.resource_name,
    case
        when
            judged.fetch_kind = 'pull' and judged.operation = 'read'
            and judged.later_gets >= least(judged.attempts, judged.session_clients)
            then 'retry'
        else judged.fetch_kind
    end as fetch_kind,
    judged.blob_count,
    1 + coalesce(judged.blob_reads, 0) as request_count,
    cast({{ micros_to_timestamp('judged.started_micros') }} as date) as fetch_date,
    judged.started_micros,
    coalesce(judged.last_micros, judged.started_micros) as ended_micros,
    judged.session_date
from judged
left join children
    on
        judged.session_id = children.session_id
        and judged.digest = children.root_digest
        and judged.later_gets = children.later_children
        and children.child_count = least(judged.attempts, judged.session_clients)
where {{ is_restated('judged.session_date', restated) }}
