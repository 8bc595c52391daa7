{%- set day_micros = 86400 * 1000000 %}
{{ config(
    enabled='cloud_audit' in logs(),
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['image', 'fetch_kind'],
    meta={'restates': {'cloud_audit': [-2, 9]}},
) }}
{%- set restated = restated_days() %}
with

requests as (

    select * from {{ ref('pullstats', 'int_manifest_request_tags') }}
    where {{ is_restated('session_date', restated) }}

),

reads as (

    select * from {{ ref('pullstats', 'int_manifest_reads') }}
    where {{ is_restated('session_date', restated) }}

),

contents as (

    select * from {{ ref('pullstats', 'int_manifest_contents') }}
    where {{ is_restated('session_date', restated, before=8, after=1) }}

),

sessions as (

    select
        session_id,
        {{ count_if("object_kind = 'manifest' and operation = 'read'") }} as get_count,
        {{ count_if("object_kind = 'blob' and not is_refused") }} as blob_read_count,
        {{ count_if("operation = 'list'") }} as tag_list_count,
        -- an inspection lists tags last; who copies tags lists them first
        coalesce(
            max(case when operation = 'list' then started_micros end)
            > min(case
                when object_kind = 'manifest' and operation = 'read' then started_micros
            end),
            false
        ) as has_list_after_get
    from reads
    group by session_id

),

children as (

    select
        session_id,
        root_digest,
        digest,
        row_number() over (
            partition by session_id, root_digest order by started_micros desc, digest desc
        ) - 1 as later_children
    from reads
    where is_child

),

-- when the client read blobs for the manifest before: any, layers, and all that it asked for
earlier_reads as (

    select
        requests.request_key,
        max(contents.last_blob_micros) as last_read_micros,
        max(case when contents.blob_count > contents.leaf_count then contents.last_blob_micros end)
            as last_download_micros,
        max(case
            when contents.blob_count = contents.requested_blob_count then contents.last_blob_micros
        end) as last_whole_read_micros
    from requests
    inner join contents
        on
            requests.client_id = contents.client_id
            and coalesce(requests.principal_id, '') = coalesce(contents.principal_id, '')
            and requests.image = contents.image
            and contents.root_digest in (requests.digest, requests.contents_digest)
            and requests.started_micros >= contents.last_blob_micros
    group by requests.request_key

),

-- what was read for the manifest, children of an index and blobs, and what else is known of it
requests_with_facts as (

    select
        requests.*,
        contents.child_count,
        contents.child_read_count,
        contents.only_child_digest,
        contents.leaf_count,
        contents.has_empty_config,
        contents.blob_count,
        coalesce(contents.requested_blob_count, 0) as requested_blob_count,
        contents.blob_read_count,
        contents.first_blob_digest,
        contents.last_blob_micros,
        case
            -- the clients read several platforms, each its own
            when contents.child_count > 1 and contents.child_read_count = requests.attempts
                then requests.attempts
            else coalesce(contents.client_count, requests.attempts)
        end as client_count,
        sessions.get_count as session_gets,
        sessions.blob_read_count as session_blob_reads,
        sessions.tag_list_count as session_tag_lists,
        sessions.has_list_after_get,
        other_tools.fetch_kind as never_pulled_kind,
        coalesce(tools.config_only_read, 'inspection') as config_only_read,
        coalesce(tools.lists_tags_to_inspect, false) as lists_tags_to_inspect,
        {{ is_cache_image('requests.image') }}
        or (
            'ci' in (requests.traffic_class, requests.client_class)
            and {{ is_build_cache('requests.image', 'requests.requested_tag') }}
        )
        or (
            requests.client_class = 'ci'
            and (
                requests.is_tag_written
                -- the tag of a cached layer is the SHA-256 of the step that made it
                or {{ regexp_like('requests.requested_tag', "'^[0-9a-f]{64}$'") }}
            )
        ) as is_of_cache,
        -- builds read the config again of what they have fetched
        tools.reads_cache
        and requests.started_micros - earlier_reads.last_download_micros <= {{ 7 * day_micros }}
            as is_downloaded_before,
        requests.started_micros - earlier_reads.last_whole_read_micros
        <= {{ var('max_session_hours') * 3600 * 1000000 }} as is_continued,
        coalesce(
            requests.started_micros - earlier_reads.last_read_micros <= {{ 2 * day_micros }},
            false
        ) as is_read_before,
        contents.child_read_count is null and exists (
            select 1
            from contents as others
            where
                others.child_read_count > 0
                and others.image = requests.image
                and others.root_digest = requests.digest
                and others.session_date
                between {{ dbt.dateadd('day', -7, 'requests.session_date') }}
                and {{ dbt.dateadd('day', 1, 'requests.session_date') }}
        ) as is_index_without_child
    from requests
    inner join sessions on requests.session_id = sessions.session_id
    left join contents
        on
            requests.session_id = contents.session_id
            and coalesce(requests.contents_digest, '') = contents.root_digest
    left join earlier_reads on requests.request_key = earlier_reads.request_key
    left join {{ ref('pullstats', 'client_tools') }} as tools on requests.client_tool = tools.tool
    left join {{ ref('pullstats', 'tools_that_never_pull') }} as other_tools
        on requests.client_tool = other_tools.tool

),

-- the first rule that holds decides
requests_with_kind as (

    select
        *,
        case
            -- before a push a client asks what is there
            when operation = 'head' and is_before_write then 'push'
            when 'scanner' in (traffic_class, client_class) then 'scan'
            when
                operation = 'head'
                and (
                    session_gets > 0
                    or session_blob_reads = 0
                    or is_continued
                )
                then 'check'
            when never_pulled_kind is not null then never_pulled_kind
            when {{ is_referrer_tag('requested_tag') }} or has_empty_config then 'artifact'
            when is_of_cache then 'cache'
            {%- if var('audit_log_has_blobs') %}
            when requested_blob_count = 0 then 'inspection'
            -- with fewer blobs than images the last one has them
            when requested_blob_count < leaf_count and contents_digest != digest then 'inspection'
            -- no more blobs than images: configs alone
            when requested_blob_count <= leaf_count and (has_list_after_get or child_count > 1)
                then 'inspection'
            when requested_blob_count <= leaf_count and is_downloaded_before then 'check'
            when requested_blob_count <= leaf_count and lists_tags_to_inspect then 'pull'
            when requested_blob_count <= leaf_count then config_only_read
            {%- else %}
            when session_tag_lists > 0 or is_digest_written or is_index_without_child
                then 'inspection'
            {%- endif %}
            else 'pull'
        end as fetch_kind
    from requests_with_facts

)

select
    fetches.request_key as fetch_id,
    fetches.image,
    fetches.requested_tag as tag,
    case
        when fetches.child_read_count > 0 or fetches.is_index_without_child
            then {{ digest_only('fetches.digest') }}
    end as index_digest,
    case
        when fetches.is_index_without_child then null
        when fetches.child_read_count is null then {{ digest_only('fetches.digest') }}
        when fetches.contents_digest != fetches.digest then null
        else coalesce(fetches.only_child_digest, children.digest)
    end as manifest_digest,
    fetches.client_id,
    fetches.client_network,
    fetches.client_tool,
    fetches.client_version,
    fetches.traffic_class,
    fetches.principal_id,
    fetches.principal_kind,
    fetches.resource_name,
    case
        when
            fetches.fetch_kind = 'pull'
            and fetches.later_attempts >= least(fetches.attempts, fetches.client_count)
            then 'retry'
        else fetches.fetch_kind
    end as fetch_kind,
    fetches.first_blob_digest,
    fetches.blob_count,
    1 + coalesce(fetches.blob_read_count, 0) as request_count,
    fetches.requested_blob_count = coalesce(fetches.blob_count, 0) as is_complete,
    -- one request for one image that the client didn't have, each blob once
    fetches.operation = 'read'
    and fetches.tag_rule != 'head_of_index'
    and not fetches.is_read_before
    and count(*) over (partition by fetches.session_id, fetches.digest) = 1
    and coalesce(
        fetches.leaf_count = 1
        and fetches.blob_count > 1
        and fetches.blob_read_count = fetches.requested_blob_count,
        false
    ) as is_plain,
    cast({{ micros_to_timestamp('fetches.started_micros') }} as date) as fetch_date,
    fetches.started_micros,
    greatest(coalesce(fetches.last_blob_micros, 0), fetches.started_micros) as ended_micros,
    fetches.session_date
from requests_with_kind as fetches
left join children
    on
        fetches.session_id = children.session_id
        and fetches.digest = children.root_digest
        and fetches.later_attempts = children.later_children
        and fetches.child_read_count = least(fetches.attempts, fetches.client_count)
