{{ config(
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['image'],
    meta={'restates': {'cloud_audit': [-1, 1]}},
) }}
{%- set restated = restated_days() %}
with

reads as (

    select
        session_id,
        client_id,
        principal_id,
        image,
        client_tool,
        'scanner' in (traffic_class, client_class) as is_scan,
        object_kind,
        digest,
        coalesce(root_digest, '') as root_digest,
        is_refused,
        started_micros,
        session_date
    from {{ ref('pullstats', 'int_manifest_reads') }}
    where
        (object_kind = 'blob' or is_child)
        and {{ is_restated('session_date', restated) }}

),

-- of each manifest that a client asked for, the one whose blobs it has
members as (

    select distinct
        session_id,
        contents_digest as root_digest,
        digest as member_digest
    from {{ ref('pullstats', 'int_manifest_reads') }}
    where
        contents_digest is not null
        and {{ is_restated('session_date', restated) }}

),

read_objects as (

    select
        session_id,
        client_id,
        principal_id,
        image,
        client_tool,
        is_scan,
        root_digest,
        object_kind,
        digest,
        session_date,
        {{ count_if('not is_refused') }} as read_count,
        {{ count_if('is_refused') }} as refused_count,
        max(started_micros) as last_micros,
        rank() over (
            partition by session_id, root_digest, object_kind
            order by min(case when is_refused then null else started_micros end) nulls last
        ) = 1 as is_first
    from reads
    group by
        session_id, client_id, principal_id, image, client_tool, is_scan, root_digest,
        object_kind, digest, session_date

),

contents as (

    select
        session_id,
        root_digest,
        client_id,
        principal_id,
        image,
        client_tool,
        is_scan,
        {{ count_if("object_kind = 'manifest'") }} as child_count,
        {{ sum_of("case when object_kind = 'manifest' then read_count end") }} as child_read_count,
        {{ sole_value("case when object_kind = 'manifest' then digest end") }} as only_child_digest,
        nullif({{ count_if("object_kind = 'blob' and read_count > 0") }}, 0) as blob_count,
        {{ count_if(is_empty_config('digest')) }} > 0 as has_empty_config,
        {{ count_if("object_kind = 'blob'") }} as requested_blob_count,
        {{ sum_of("case when object_kind = 'blob' then read_count end") }} as blob_read_count,
        min(case when object_kind = 'blob' then nullif(read_count, 0) end) as fewest_blob_reads,
        -- null if several came at one time
        {{ sole_value("case when object_kind = 'blob' and is_first then digest end") }}
            as first_blob_digest,
        -- the first blob is the config, which a client reads again when it tries again
        coalesce(
            max(case when object_kind = 'blob' and not is_first then read_count end),
            max(case when object_kind = 'blob' then read_count end)
        ) as most_layer_reads,
        -- who was refused a blob reads it, and perhaps all others, once more
        min(case when object_kind = 'blob' and refused_count > 0 then nullif(read_count, 0) end)
            as fewest_retried_reads,
        max(case when object_kind = 'blob' then last_micros end) as last_blob_micros,
        session_date
    from read_objects
    group by
        session_id, root_digest, client_id, principal_id, image, client_tool, is_scan,
        session_date

),

-- images that share their blobs: an index counts as the children that were read of it
shared_contents as (

    select
        members.session_id,
        members.root_digest,
        count(*) > 1 as is_shared,
        sum(greatest(coalesce(contents.child_count, 0), 1)) as leaf_count
    from members
    left join contents
        on
            members.session_id = contents.session_id
            and members.member_digest = contents.root_digest
    group by members.session_id, members.root_digest

)

select
    contents.session_id,
    contents.root_digest,
    contents.client_id,
    contents.principal_id,
    contents.image,
    contents.client_tool,
    contents.is_scan,
    contents.child_count,
    contents.child_read_count,
    contents.only_child_digest,
    coalesce(shared_contents.is_shared, false) as is_shared,
    coalesce(shared_contents.leaf_count, 1) as leaf_count,
    contents.has_empty_config,
    contents.blob_count,
    contents.requested_blob_count,
    contents.blob_read_count,
    contents.first_blob_digest,
    -- each client of an address reads each blob once, so the reads of a blob count the clients; one
    -- that keeps layers may need only some of them. Attempts that are refused in the end are one.
    case
        when contents.requested_blob_count > coalesce(contents.blob_count, 0) then 1
        when tools.keeps_layers and contents.blob_count > 1
            then least(
                contents.most_layer_reads,
                coalesce(contents.fewest_retried_reads, contents.most_layer_reads)
            )
        else contents.fewest_blob_reads
    end as client_count,
    contents.last_blob_micros,
    contents.session_date
from contents
left join shared_contents
    on
        contents.session_id = shared_contents.session_id
        and contents.root_digest = shared_contents.root_digest
left join {{ ref('pullstats', 'client_tools') }} as tools on contents.client_tool = tools.tool
