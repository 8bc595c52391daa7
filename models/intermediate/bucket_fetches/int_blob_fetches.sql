{{ config(
    enabled='gcs_usage' in logs(),
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['bucket_name', 'image'],
    meta={'restates': {'gcs_usage': [-1, 1], 'blobs': [0, 0]}},
) }}
{%- set restated = restated_days('int_changed_days') %}
{%- set usual = var('config_usual_bytes') %}
with

blob_reads as (

    select * from {{ ref('pullstats', 'int_blob_reads') }}
    where {{ is_restated('session_date', restated) }}

),

read_pulls as (

    select * from {{ ref('pullstats', 'int_blob_read_pulls') }}
    where {{ is_restated('session_date', restated) }}

),

blobs as (

    select * from {{ ref('pullstats', 'int_blobs') }}

),

client_tools as (

    select * from {{ ref('pullstats', 'client_tools') }}

),

tools_that_never_pull as (

    select * from {{ ref('pullstats', 'tools_that_never_pull') }}

),

-- a session whose reads have no number is one pull, and reads each blob once
plain_reads as (

    select * from blob_reads
    where session_id not in (select read_pulls.session_id from read_pulls)

),

blobs_of_fetches as (

    select
        session_id,
        digest,
        client_id,
        client_tool,
        client_network,
        client_version,
        traffic_class,
        bucket_name,
        image,
        1 as pull_number,
        1 as request_count,
        case when status_code = 206 then 1 else 0 end as range_count,
        case when status_code != 206 and served_bytes > 0 then 1 else 0 end as answer_count,
        case when status_code = 304 then 1 else 0 end as cached_count,
        served_bytes,
        true as is_plain_session,
        session_date,
        started_micros,
        ended_micros
    from plain_reads
    union all
    select
        session_id,
        digest,
        client_id,
        client_tool,
        client_network,
        client_version,
        traffic_class,
        bucket_name,
        image,
        pull_number,
        count(*) as request_count,
        {{ count_if('status_code = 206') }} as range_count,
        {{ count_if('status_code != 206 and served_bytes > 0') }} as answer_count,
        {{ count_if('status_code = 304') }} as cached_count,
        {{ sum_of('served_bytes') }} as served_bytes,
        false as is_plain_session,
        session_date,
        min(started_micros) as started_micros,
        max(ended_micros) as ended_micros
    from read_pulls
    group by
        session_id, digest, client_id, client_tool, client_network, client_version, traffic_class,
        bucket_name, image, pull_number, session_date

),

described as {{ materialized_cte(false) }}

    select
        blobs_of_fetches.*,
        coalesce(blobs.blob_kind, 'unknown') as blob_kind,
        blobs.blob_kind_source,
        blobs.image as blob_image,
        blobs.size_bytes,
        coalesce(blobs.is_kind_certain, false) as is_kind_certain,
        coalesce(blobs.is_read_by_pullers, true) as is_read_by_pullers,
        blobs_of_fetches.cached_count > 0
        or coalesce(blobs_of_fetches.served_bytes >= blobs.size_bytes, false) as is_whole,
        -- where no whole answer gives the size, a chunk that failed may have come again
        blobs_of_fetches.range_count > 0
        and case
            when blobs.size_bytes is null then blobs_of_fetches.answer_count = 0
            else blobs_of_fetches.range_count = blobs_of_fetches.request_count
        end as is_range
    from blobs_of_fetches
    left join blobs using (bucket_name, digest)

),

sized as (

    select
        *,
        -- a config that was refused shows the attempt
        blob_kind = 'config' and cached_count = 0 as is_config,
        (blob_kind = 'layer' and served_bytes > 0)
        or (blob_kind = 'unknown' and served_bytes > 4 * {{ usual }}) as is_layer,
        blob_kind = 'unknown'
        and served_bytes between {{ var('config_min_bytes') }} and 4 * {{ usual }}
            as may_be_config,
        blob_kind = 'unknown'
        and served_bytes
        between {{ var('config_least_bytes') }} and {{ var('config_min_bytes') }} - 1
            as may_be_tiny_config
    from described

),

grouped as (

    select
        session_id,
        pull_number,
        session_date,
        client_id,
        client_network,
        client_tool,
        client_version,
        traffic_class,
        bucket_name,
        image,
        is_plain_session,
        {{ sole_value('case when is_config then digest end') }} as config_digest,
        min(case when is_config then blob_kind_source end) as config_source,
        {{ sole_value(
            'case when may_be_config and is_read_by_pullers and served_bytes <= ' ~ usual
            ~ ' then digest end'
        ) }} as only_candidate_digest,
        coalesce(
            {{ sole_value('case when is_config then blob_image end') }},
            {{ sole_value('blob_image') }}
        ) as blob_image,
        {{ count_if('served_bytes > 0') }} as blob_count,
        {{ count_if('is_config') }} as config_count,
        {{ count_if('is_layer') }} as layer_count,
        {{ count_if("blob_kind = 'artifact' and served_bytes > 0") }} as artifact_count,
        {{ count_if(is_empty_config('digest')) }} as empty_config_count,
        coalesce(
            min(case when {{ is_empty_config('digest') }} then started_micros end)
            > min(started_micros)
            and max(case when {{ is_empty_config('digest') }} then started_micros end)
            < max(started_micros),
            false
        ) as is_empty_config_inside,
        {{ count_if('may_be_config') }} as candidate_count,
        {{ count_if('may_be_tiny_config') }} as tiny_candidate_count,
        {{ count_if('served_bytes between 1 and ' ~ (var('config_min_bytes') - 1)) }}
            as tiny_count,
        {{ count_if('served_bytes > 0 and not is_range') }} as whole_count,
        {{ count_if('request_count < 2') }} as read_once_count,
        {{ count_if('not is_whole') }} as unfinished_count,
        -- a range of a layer leaves a gap on purpose, one of a config does not
        {{ count_if(
            'not is_whole and (not is_range or (is_config and size_bytes is not null))'
        ) }} as cut_count,
        {{ sum_of('request_count') }} as request_count,
        {{ sum_of('served_bytes') }} as served_bytes,
        -- a blob that is larger, and no config, is a layer
        {{ count_if(
            'not is_kind_certain and (is_config or served_bytes between '
            ~ var('config_least_bytes') ~ ' and ' ~ 4 * usual ~ ')'
        ) }} as uncertain_count,
        {{ count_if('is_config and is_read_by_pullers') }} > 0 as is_config_read_by_pullers,
        min(started_micros) as started_micros,
        max(ended_micros) as ended_micros
    from sized
    group by
        session_id, pull_number, session_date, client_id, client_network, client_tool,
        client_version, traffic_class, bucket_name, image, is_plain_session

),

-- images that are copied in turn may be the platforms of an index
sessions_of_several_builds as (

    select session_id
    from grouped
    where not is_plain_session
    group by session_id
    having min(config_digest) != max(config_digest)

),

-- a cut transfer is completed by a later fetch of the same client that brings the whole blob, or
-- exactly the bytes that were missing, and no config
completed_later as (

    select
        cut.session_id,
        cut.pull_number,
        count(distinct cut.digest) as completed_count
    from sized as cut
    inner join sized as rest
        on
            cut.client_id = rest.client_id
            and cut.bucket_name = rest.bucket_name
            and coalesce(cut.image, '') = coalesce(rest.image, '')
            and cut.digest = rest.digest
            and cut.session_date = rest.session_date
    inner join grouped as rests
        on
            rest.session_id = rests.session_id
            and rest.pull_number = rests.pull_number
    where
        not cut.is_whole
        and cut.ended_micros < rest.started_micros
        and (rest.is_whole or cut.size_bytes - cut.served_bytes = rest.served_bytes)
        and rests.config_count = 0
    group by cut.session_id, cut.pull_number

),

finished as (

    select
        grouped.*,
        coalesce(grouped.image, grouped.blob_image) as fetched_image,
        coalesce(client_tools.config_only_read, 'inspection') as config_only_read,
        client_tools.layers_only_read,
        client_tools.index_read,
        client_tools.config_position != 'unknown' as reads_configs,
        coalesce(client_tools.reads_twice, false) as reads_twice,
        client_tools.index_read in ('in_turn', 'mixed')
        and sessions_of_several_builds.session_id is not null as may_be_platforms,
        tools_that_never_pull.fetch_kind as never_pull_kind,
        grouped.unfinished_count = coalesce(completed_later.completed_count, 0)
        or (
            grouped.cut_count <= coalesce(completed_later.completed_count, 0)
            and grouped.config_count > 0
        ) as is_complete
    from grouped
    left join completed_later using (session_id, pull_number)
    left join sessions_of_several_builds using (session_id)
    left join client_tools on grouped.client_tool = client_tools.tool
    left join tools_that_never_pull on grouped.client_tool = tools_that_never_pull.tool

),

-- the first rule that holds decides
classified as (

    select
        *,
        case
            when blob_count = 0 and config_count > 0 and config_only_read = 'pull' then 'pull'
            when blob_count = 0 then 'partial'
            -- without a registry's referer these have read the bucket itself
            when
                image is null
                and traffic_class in ('admin', 'housekeeping', 'lifecycle')
                and coalesce(never_pull_kind, 'inspection') = 'inspection'
                then 'bucket_read'
            when never_pull_kind is not null then never_pull_kind
            when traffic_class = 'scanner' then 'scan'
            when
                artifact_count = blob_count
                -- between others it may be that of an attestation beside the image
                or (empty_config_count > 0 and (artifact_count > 0 or not is_empty_config_inside))
                then 'artifact'
            when {{ is_cache_image('fetched_image') }} then 'cache'
            when traffic_class = 'ci' and {{ is_build_cache('image') }} then 'cache'
            when config_count > 0 and layer_count > 0 then 'pull'
            -- a registry that caches: it reads each blob twice
            when
                reads_twice
                and blob_count > 1
                and read_once_count = 0
                and is_complete
                then 'pull'
            -- one of several small blobs is the config, as of an image with its attestation, or of
            -- a build that was read once
            when
                reads_configs
                and layer_count > 0
                and (
                    candidate_count > 0
                    or (
                        tiny_candidate_count = 1
                        and served_bytes > {{ var('config_max_bytes') }}
                    )
                )
                then 'pull'
            -- several small blobs and no layer: tags are watched, signatures verified, except by
            -- programs that only pull: these have read an image whose layers are small
            when
                layer_count = 0
                and blob_count > 1
                and (config_only_read != 'pull' or index_read != 'one_platform' or config_count > 1)
                then 'inspection'
            when config_count = 0 and layers_only_read = 'artifact' then 'artifact'
            -- one small blob is taken for a config
            when layer_count = 0 then config_only_read
            when layers_only_read = 'partial' then 'partial'
            -- too small for an image's config, and one more: a signature, a bill of materials
            when
                blob_count = 2
                and tiny_count = 1
                and served_bytes <= {{ var('config_max_bytes') }}
                then 'artifact'
            -- programs that read no config, or one that is not known
            when blob_count > 1 and is_complete and whole_count > 0 then 'pull'
            else 'partial'
        end as fetch_kind
    from finished

),

-- a config that only programs that read caches ever read is that of a cache, and names no build
with_builds as (

    select
        *,
        case
            when candidate_count > 1 then null
            when config_count > 0 and is_config_read_by_pullers then config_digest
            when
                config_count = 0
                and fetch_kind = 'pull'
                and reads_configs
                and tiny_candidate_count = 0
                then only_candidate_digest
        end as image_id
    from classified

)

select
    {{ hash_of(['client_id', 'bucket_name', 'image', 'started_micros', 'pull_number']) }}
        as fetch_id,
    image_id,
    case
        when image_id is null then 'none'
        else coalesce(config_source, 'inferred')
    end as image_id_source,
    client_id,
    client_network,
    client_tool,
    client_version,
    traffic_class,
    fetch_kind,
    case
        when fetch_kind != 'pull' then null
        when config_count != 1 or candidate_count > 1 or may_be_platforms then 'ambiguous'
        when
            is_plain_session
            and uncertain_count = 0
            and image_id is not null
            and layer_count > 0
            and unfinished_count = 0
            and image is not null
            and not reads_twice
            then 'certain'
        else 'inferred'
    end as count_confidence,
    bucket_name,
    fetched_image as image,
    case
        when image is not null then 'referer'
        when fetched_image is not null then 'digest'
        else 'none'
    end as attribution,
    blob_count,
    request_count,
    served_bytes,
    is_complete,
    session_date,
    cast({{ micros_to_timestamp('started_micros') }} as date) as fetch_date,
    started_micros,
    ended_micros
from with_builds
