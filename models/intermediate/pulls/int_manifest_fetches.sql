{%- set memory_micros = 7 * 86400 * 1000000 %}
{%- set days_beside = 0 if var('audit_log_has_blobs') else 1 %}
{{ config(
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['image', 'fetch_kind'],
    meta={'restates': {'cloud_audit': [-2 - days_beside, 9]}},
) }}
{%- set restated = restated_days() %}
with

requests as (

    select * from {{ ref('pullstats', 'int_manifest_requests') }}
    where {{ is_restated('session_date', restated) }}

),

sessions as (

    select * from {{ ref('pullstats', 'int_manifest_sessions') }}
    where {{ is_restated('session_date', restated) }}

),

contents as (

    select * from {{ ref('pullstats', 'int_manifest_contents_read') }}
    where {{ is_restated('session_date', restated, before=days_beside, after=days_beside) }}

),

-- what builds have fetched: they read the config again at each build
downloads as (

    select
        contents.client_id,
        contents.principal_id,
        contents.image,
        contents.root_digest,
        contents.last_blob_micros
    from {{ ref('pullstats', 'int_manifest_contents_read') }} as contents
    inner join {{ ref('pullstats', 'client_tools') }} as tools on contents.client_tool = tools.tool
    where
        tools.reads_cache = 'true'
        and contents.blob_count > contents.leaf_count
        and {{ is_restated('contents.session_date', restated, before=8) }}

),

children as (

    select
        session_id,
        root_digest,
        digest,
        row_number() over (
            partition by session_id, root_digest order by started_micros desc, request_key desc
        ) - 1 as later_children
    from {{ ref('pullstats', 'int_manifest_reads_rooted') }}
    where is_child and {{ is_restated('session_date', restated) }}

),

judged as (

    select
        requests.*,
        indexes.child_read_count,
        indexes.only_child_digest,
        blobs.blob_count,
        coalesce(blobs.requested_blob_count, 0) = coalesce(blobs.blob_count, 0) as is_complete,
        blobs.blob_read_count,
        blobs.first_blob_digest,
        -- one request for one image that the client didn't have, each blob once
        requests.operation = 'read'
        and not requests.is_got_before
        and count(*) over (partition by requests.session_id, requests.digest) = 1
        and coalesce(
            blobs.leaf_count = 1
            and blobs.blob_count > 1
            and blobs.blob_read_count = blobs.requested_blob_count,
            false
        ) as is_plain,
        blobs.last_blob_micros,
        case
            -- the clients read several platforms, each its own
            when indexes.child_count > 1 and indexes.child_read_count = requests.attempts
                then requests.attempts
            else {{ 'blobs.client_count' if var('audit_log_has_blobs') else 'requests.attempts' }}
        end as client_count,
        case
            when
                requests.operation = 'head'
                and case
                    when requests.tag is null
                        then sessions.last_written_micros > requests.started_micros
                    else requests.is_before_write
                end
                then 'push'
            when 'scanner' in (requests.traffic_class, requests.client_class) then 'scan'
            when
                requests.operation = 'head'
                and (sessions.gets > 0 or sessions.blob_reads = 0 or requests.is_got_before)
                then 'check'
            when never_pull.fetch_kind is not null then never_pull.fetch_kind
            when {{ is_referrer_tag('requests.tag') }} then 'artifact'
            when blobs.has_empty_config then 'artifact'
            when requests.is_of_cache then 'cache'
            {%- if var('audit_log_has_blobs') %}
            when coalesce(blobs.requested_blob_count, 0) = 0 then 'inspection'
            when blobs.requested_blob_count <= blobs.leaf_count
                then case
                    when sessions.tag_lists > 0 or indexes.child_count > 1 then 'inspection'
                    when
                        exists (
                            select 1
                            from downloads
                            where
                                downloads.client_id = requests.client_id
                                and coalesce(downloads.principal_id, '')
                                = coalesce(requests.principal_id, '')
                                and downloads.image = requests.image
                                and downloads.root_digest = requests.digest
                                and downloads.last_blob_micros between
                                requests.started_micros - {{ memory_micros }}
                                and requests.started_micros
                        )
                        then 'check'
                    when habits.lists_tags_to_inspect then 'pull'
                    else coalesce(tools.config_only_read, 'inspection')
                end
            {%- else %}
            when sessions.tag_lists > 0 or requests.is_digest_written then 'inspection'
            when
                indexes.child_read_count is null and exists (
                    select 1
                    from contents
                    where
                        contents.child_read_count > 0
                        and contents.image = requests.image
                        and contents.root_digest = requests.digest
                        and contents.session_date between
                        {{ dbt.dateadd('day', -1, 'requests.session_date') }}
                        and {{ dbt.dateadd('day', 1, 'requests.session_date') }}
                )
                then 'inspection'
            {%- endif %}
            else 'pull'
        end as fetch_kind
    from requests
    inner join sessions on requests.session_id = sessions.session_id
    left join contents as indexes
        on
            requests.session_id = indexes.session_id
            and coalesce(requests.contents_digest, requests.digest) = indexes.root_digest
    left join contents as blobs
        on
            requests.session_id = blobs.session_id
            and coalesce(requests.contents_digest, '') = blobs.root_digest
            -- with fewer blobs than images the last one has them
            and (
                requests.contents_digest is null
                or requests.contents_digest = requests.digest
                or blobs.requested_blob_count >= blobs.leaf_count
            )
    left join {{ ref('pullstats', 'client_tools') }} as tools on requests.client_tool = tools.tool
    left join {{ ref('pullstats', 'tools_that_never_pull') }} as never_pull
        on requests.client_tool = never_pull.tool
    left join {{ ref('pullstats', 'manifest_habits') }} as habits
        on requests.client_tool = habits.tool

)

select
    judged.request_key as fetch_id,
    judged.image,
    judged.tag,
    case when judged.child_read_count > 0 then {{ digest_only('judged.digest') }} end
        as index_digest,
    case
        when judged.child_read_count is null then {{ digest_only('judged.digest') }}
        when judged.contents_digest != judged.digest then null
        else coalesce(judged.only_child_digest, children.digest)
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
            judged.fetch_kind = 'pull'
            and judged.later_attempts >= least(judged.attempts, judged.client_count)
            then 'retry'
        else judged.fetch_kind
    end as fetch_kind,
    judged.first_blob_digest,
    judged.blob_count,
    judged.is_complete,
    judged.is_plain,
    1 + coalesce(judged.blob_read_count, 0) as request_count,
    cast({{ micros_to_timestamp('judged.started_micros') }} as date) as fetch_date,
    judged.started_micros,
    greatest(coalesce(judged.last_blob_micros, 0), judged.started_micros) as ended_micros,
    judged.session_date
from judged
left join children
    on
        judged.session_id = children.session_id
        and judged.digest = children.root_digest
        and judged.later_attempts = children.later_children
        and judged.child_read_count = least(judged.attempts, judged.client_count)
