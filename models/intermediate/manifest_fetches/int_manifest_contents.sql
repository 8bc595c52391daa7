{{ config(
    enabled='cloud_audit' in logs(),
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['image'],
    meta={'restates': {'cloud_audit': [-1, 1]}},
) }}
{%- set restated = restated_days() %}
{%- set is_blob = "object_kind = 'blob'" %}
{%- set is_child = "object_kind = 'child'" %}
{%- set is_layer = is_blob ~ " and not is_first" %}
with

requests as (

    select * from {{ ref('pullstats', 'int_manifest_reads') }}
    where {{ is_restated('session_date', restated) }}

),

tools as (

    select * from {{ ref('pullstats', 'client_tools') }}

),

reads as (

    select
        *,
        coalesce(root_digest, '') as read_for_digest,
        case when object_kind = 'blob' then 'blob' when is_child then 'child' else 'root' end
            as read_kind,
        root_micros = max(root_micros) over (partition by session_id, root_digest)
            as is_after_last_get
    from requests
    where {{ is_blob }} or object_kind = 'manifest' and operation = 'read'

),

read_objects as (

    select
        session_id,
        read_for_digest,
        read_kind as object_kind,
        digest,
        any_value(client_id) as client_id,
        any_value(principal_id) as principal_id,
        any_value(image) as image,
        any_value(client_network) as client_network,
        any_value(client_tool) as client_tool,
        any_value('scanner' in (traffic_class, client_class)) as is_scan,
        any_value(session_date) as session_date,
        {{ count_if('not is_refused') }} as read_count,
        {{ count_if('is_refused') }} as refused_count,
        {{ count_if('is_after_last_get and not is_refused') }} as last_read_count,
        count(distinct root_micros) as get_count,
        max(root_micros) as last_get_micros,
        max(started_micros) as last_micros,
        max(started_micros) - min(started_micros) as between_micros,
        rank() over (
            partition by session_id, read_for_digest, read_kind
            order by min(case when is_refused then null else started_micros end) nulls last
        ) = 1 as is_first
    from reads
    group by session_id, read_for_digest, read_kind, digest

),

-- who wants one platform of an index, and reads more of it each time, reads the image, then its
-- attestation
image_objects as (

    select
        read_objects.*,
        sum(case when read_objects.object_kind = 'child' then 1 else 0 end)
            over (partition by read_objects.session_id, read_objects.read_for_digest)
            as children_read
    from read_objects
    left join tools on read_objects.client_tool = tools.tool
    qualify not coalesce(
        read_objects.object_kind = 'child'
        and not read_objects.is_first
        and tools.reads_one_platform
        and read_objects.read_count >= max(
            case when read_objects.object_kind = 'root' then read_objects.read_count end
        ) over (partition by read_objects.session_id, read_objects.read_for_digest),
        false
    )

),

contents as (

    select
        session_id,
        read_for_digest as root_digest,
        any_value(client_id) as client_id,
        any_value(principal_id) as principal_id,
        any_value(image) as image,
        any_value(client_network) as client_network,
        any_value(client_tool) as client_tool,
        any_value(is_scan) as is_scan,
        any_value(session_date) as session_date,
        {{ count_if(is_child) }} as child_count,
        {{ sum_of("case when " ~ is_child ~ " then read_count end") }} as child_read_count,
        {{ sole_value("case when " ~ is_child ~ " then digest end") }} as only_child_digest,
        -- of an index, the empty config may be that of an attestation beside the image
        {{ count_if(is_empty_config('digest') ~ " and (is_first or children_read < 2)") }} > 0
            as has_empty_config,
        nullif({{ count_if(is_blob ~ " and read_count > 0") }}, 0) as blob_count,
        {{ count_if(is_blob) }} as requested_blob_count,
        {{ sum_of("case when " ~ is_blob ~ " then read_count end") }} as blob_read_count,
        -- null if several came at one time
        {{ sole_value("case when " ~ is_blob ~ " and is_first then digest end") }}
            as first_blob_digest,
        max(case when {{ is_blob }} then last_micros end) as last_blob_micros,
        min(case when {{ is_blob }} then nullif(read_count, 0) end) as fewest_reads,
        max(case when {{ is_blob }} and is_first then read_count end) as config_reads,
        -- the first blob is the config, which a client reads again when it tries again
        coalesce(
            max(case when {{ is_layer }} then read_count end),
            max(case when {{ is_blob }} then read_count end)
        ) as most_layer_reads,
        -- a client that was refused a blob reads it, and perhaps all others, once more
        min(case when {{ is_blob }} and refused_count > 0 then nullif(read_count, 0) end)
            as fewest_retried_reads,
        -- after two GETs, each blob once after the second
        coalesce(
            max(case when {{ is_blob }} then get_count end) = 2
            and {{ count_if(is_blob ~ " and last_read_count != 1") }} = 0
            and {{ count_if(is_layer ~ " and read_count > 2") }} = 0
            and min(case when {{ is_blob }} and get_count = 2 then between_micros end)
            <= {{ var('burst_gap_seconds') }} * 1000000,
            false
        ) as is_read_again,
        -- after the last GET the config alone: all layers were there
        coalesce(
            max(case when {{ is_blob }} and is_first then last_get_micros end)
            > max(case when {{ is_layer }} then last_get_micros end),
            false
        ) as is_config_read_again
    from image_objects
    group by session_id, read_for_digest
    having {{ count_if("object_kind != 'root'") }} > 0

),

-- images that share their blobs: an index counts as the children that were read of it
shared_contents as (

    select
        members.session_id,
        members.contents_digest as root_digest,
        sum(greatest(coalesce(contents.child_count, 0), 1)) as leaf_count
    from (
        select distinct
            session_id,
            contents_digest,
            digest
        from requests
        where contents_digest is not null
    ) as members
    left join contents
        on
            members.session_id = contents.session_id
            and members.digest = contents.root_digest
    group by members.session_id, members.contents_digest

)

select
    contents.session_id,
    contents.root_digest,
    contents.client_id,
    contents.client_network,
    contents.principal_id,
    contents.image,
    contents.client_tool,
    contents.is_scan,
    contents.child_count,
    contents.child_read_count,
    contents.only_child_digest,
    coalesce(shared_contents.leaf_count, 1) as leaf_count,
    contents.has_empty_config,
    contents.blob_count,
    contents.requested_blob_count,
    contents.blob_read_count,
    contents.first_blob_digest,
    case
        -- attempts that are refused in the end are one
        when contents.requested_blob_count > coalesce(contents.blob_count, 0) then 1
        -- a client that has the blobs doesn't read them again; one that keeps none may, unless it
        -- failed to get the config
        when
            contents.is_read_again
            and contents.client_network is not null
            and (tools.keeps_layers or contents.config_reads > 2)
            then 1
        -- each client reads each blob once; one that keeps layers may need only some of them
        when tools.keeps_layers and contents.blob_count > 1
            then least(
                contents.most_layer_reads,
                coalesce(contents.fewest_retried_reads, contents.most_layer_reads)
            ) + case
                when
                    contents.is_config_read_again
                    and tools.config_only_read = 'pull'
                    and not tools.reads_cache
                    then 1
                else 0
            end
        else contents.fewest_reads
    end as client_count,
    contents.last_blob_micros,
    contents.session_date
from contents
left join shared_contents
    on
        contents.session_id = shared_contents.session_id
        and contents.root_digest = shared_contents.root_digest
left join tools on contents.client_tool = tools.tool
