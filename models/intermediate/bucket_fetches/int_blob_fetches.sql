{{ config(
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['bucket_name', 'image'],
    meta={'restates': {'gcs_usage': [-1, 1], 'blobs': [0, 0]}},
) }}
{%- set restated = restated_days() %}
{%- set usual = var('config_usual_bytes') %}
with

read_pulls as (

    select * from {{ ref('pullstats', 'int_blob_read_pulls') }}
    where {{ is_restated('session_date', restated) }}

),

tools_that_never_pull as (

    select * from {{ ref('pullstats', 'tools_that_never_pull') }}

),

-- a plain session is one pull, each of its reads a blob: grouping these would take most of the
-- model's memory
blobs_of_pulls as (

    select
        session_id,
        pull_number,
        case when started_micros = pull_started_micros then request_key end as first_request_key,
        client_id,
        client_network,
        client_tool,
        client_version,
        traffic_class,
        bucket_name,
        image,
        digest,
        blob_kind,
        blob_kind_source,
        blob_image,
        config_only_read,
        layers_only_read,
        1 as request_count,
        served_bytes,
        size_bytes,
        status_code = 206 as is_range,
        -- 304: the client has the blob already
        status_code = 304 as is_cached,
        is_plain_session,
        is_kind_certain,
        is_read_by_pullers,
        reads_configs,
        reads_cache,
        reads_twice,
        started_micros,
        ended_micros,
        session_date
    from read_pulls
    where is_plain_session
    union all
    select
        session_id,
        pull_number,
        min(case when started_micros = pull_started_micros then request_key end)
            as first_request_key,
        any_value(client_id) as client_id,
        any_value(client_network) as client_network,
        any_value(client_tool) as client_tool,
        any_value(client_version) as client_version,
        any_value(traffic_class) as traffic_class,
        any_value(bucket_name) as bucket_name,
        any_value(image) as image,
        digest,
        any_value(blob_kind) as blob_kind,
        any_value(blob_kind_source) as blob_kind_source,
        any_value(blob_image) as blob_image,
        any_value(config_only_read) as config_only_read,
        any_value(layers_only_read) as layers_only_read,
        count(*) as request_count,
        {{ sum_of('served_bytes') }} as served_bytes,
        any_value(size_bytes) as size_bytes,
        -- where no whole answer gives the size, a chunk that failed may have come again
        {{ count_if('status_code = 206') }} > 0
        and {{ count_if(
            'status_code != 206 and (served_bytes > 0 or size_bytes is not null)'
        ) }} = 0 as is_range,
        {{ count_if('status_code = 304') }} > 0 as is_cached,
        false as is_plain_session,
        any_value(is_kind_certain) as is_kind_certain,
        any_value(is_read_by_pullers) as is_read_by_pullers,
        any_value(reads_configs) as reads_configs,
        any_value(reads_cache) as reads_cache,
        any_value(reads_twice) as reads_twice,
        min(started_micros) as started_micros,
        max(ended_micros) as ended_micros,
        session_date
    from read_pulls
    where not is_plain_session
    group by session_id, pull_number, digest, session_date

),

sized as (

    select
        *,
        blob_kind = 'config' and served_bytes > 0 as is_config,
        (blob_kind = 'layer' and served_bytes > 0)
        or (blob_kind = 'unknown' and served_bytes > 4 * {{ usual }}) as is_layer,
        blob_kind = 'unknown'
        and served_bytes between {{ var('config_min_bytes') }} and 4 * {{ usual }}
            as may_be_config,
        blob_kind = 'unknown'
        and served_bytes
        between {{ var('config_least_bytes') }} and {{ var('config_min_bytes') }} - 1
            as may_be_tiny_config,
        is_cached or coalesce(served_bytes >= size_bytes, false) as is_whole
    from blobs_of_pulls

),

grouped as (

    select
        session_id,
        pull_number,
        session_date,
        min(first_request_key) as fetch_id,
        any_value(client_id) as client_id,
        any_value(client_network) as client_network,
        any_value(client_tool) as client_tool,
        any_value(client_version) as client_version,
        any_value(traffic_class) as traffic_class,
        any_value(bucket_name) as bucket_name,
        any_value(image) as image,
        any_value(config_only_read) as config_only_read,
        any_value(layers_only_read) as layers_only_read,
        {{ sole_value('case when is_config then digest end') }} as config_digest,
        min(case when is_config then blob_kind_source end) as config_source,
        {{ sole_value(
            'case when may_be_config and served_bytes <= ' ~ usual ~ ' then digest end'
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
        {{ count_if('may_be_config') }} as candidate_count,
        {{ count_if('may_be_tiny_config') }} as tiny_candidate_count,
        {{ count_if('served_bytes between 1 and ' ~ (var('config_min_bytes') - 1)) }}
            as tiny_count,
        {{ count_if('served_bytes > 0 and not is_range') }} as whole_count,
        {{ count_if('request_count < 2') }} as read_once_count,
        {{ count_if('not is_whole') }} as unfinished_count,
        {{ count_if('not is_whole and not is_range') }} as cut_count,
        {{ sum_of('request_count') }} as request_count,
        {{ sum_of('served_bytes') }} as served_bytes,
        min(case when is_plain_session then 1 else 0 end) = 1 as is_plain_session,
        {{ count_if('is_config and is_kind_certain') }} > 0 as is_config_certain,
        {{ count_if('is_config and is_read_by_pullers') }} > 0 as is_config_read_by_pullers,
        max(case when reads_configs then 1 else 0 end) = 1 as reads_configs,
        max(case when reads_cache then 1 else 0 end) = 1 as reads_cache,
        max(case when reads_twice then 1 else 0 end) = 1 as reads_twice,
        min(started_micros) as started_micros,
        max(ended_micros) as ended_micros
    from sized
    group by session_id, pull_number, session_date

),

-- a cut transfer is completed by a later fetch of the same client that brings exactly the bytes
-- that were missing, and no config
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
        and cut.size_bytes - cut.served_bytes = rest.served_bytes
        and rests.config_count = 0
    group by cut.session_id, cut.pull_number

),

finished as (

    select
        grouped.*,
        -- ranges leave gaps on purpose: what the client asked for has been served
        grouped.unfinished_count = coalesce(completed_later.completed_count, 0)
        or (
            grouped.cut_count <= coalesce(completed_later.completed_count, 0)
            and grouped.config_count > 0
        ) as is_complete
    from grouped
    left join completed_later
        on
            grouped.session_id = completed_later.session_id
            and grouped.pull_number = completed_later.pull_number

),

-- the first rule that holds decides
classified as (

    select
        finished.*,
        coalesce(finished.image, finished.blob_image) as fetched_image,
        case
            when finished.blob_count = 0 then 'partial'
            when never_pull.fetch_kind is not null then never_pull.fetch_kind
            when finished.traffic_class = 'scanner' then 'scan'
            -- without a registry's referer these have read the bucket itself
            when
                finished.image is null
                and finished.traffic_class in ('admin', 'housekeeping', 'lifecycle')
                then 'inspection'
            when
                finished.empty_config_count > 0
                or finished.artifact_count = finished.blob_count
                then 'artifact'
            when {{ is_cache_image('coalesce(finished.image, finished.blob_image)') }}
                then 'cache'
            when
                finished.reads_cache
                and {{ is_build_cache('finished.image') }}
                then 'cache'
            when finished.config_count > 0 and finished.layer_count > 0 then 'pull'
            -- a registry that caches: it reads each blob twice
            when
                finished.reads_twice
                and finished.blob_count > 1
                and finished.read_once_count = 0
                and finished.whole_count = finished.blob_count
                and finished.is_complete
                then 'pull'
            -- one of several small blobs is the config, as of an image with its attestation, or of
            -- a build that was read once
            when
                finished.reads_configs
                and finished.layer_count > 0
                and finished.candidate_count > 0
                then 'pull'
            when
                finished.reads_configs
                and finished.layer_count > 0
                and finished.tiny_candidate_count = 1
                and finished.served_bytes > {{ var('config_max_bytes') }}
                then 'pull'
            -- several small blobs and no layer: tags are watched, signatures verified
            when finished.layer_count = 0 and finished.blob_count > 1 then 'inspection'
            when finished.config_count = 0 and finished.layers_only_read = 'artifact'
                then 'artifact'
            -- one small blob is taken for a config
            when finished.layer_count = 0 then finished.config_only_read
            when finished.layers_only_read = 'partial' then 'partial'
            -- too small for an image's config, and one more: a signature, a bill of materials
            when
                finished.blob_count = 2
                and finished.tiny_count = 1
                and finished.served_bytes <= {{ var('config_max_bytes') }}
                then 'artifact'
            -- programs that read no config, or one that is not known
            when
                finished.blob_count > 1
                and finished.is_complete
                and finished.whole_count > 0
                then 'pull'
            else 'partial'
        end as fetch_kind
    from finished
    left join tools_that_never_pull as never_pull
        on finished.client_tool = never_pull.tool

),

-- a config that only programs that read caches ever read is that of a cache, and names no build
with_builds as (

    select
        *,
        case
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
    fetch_id,
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
        when config_count != 1 then 'ambiguous'
        when
            is_plain_session
            and is_config_certain
            and image_id is not null
            and layer_count > 0
            -- no other small blob may be a config as well
            and candidate_count = 0
            and tiny_candidate_count = 0
            and unfinished_count = 0
            and image is not null
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
