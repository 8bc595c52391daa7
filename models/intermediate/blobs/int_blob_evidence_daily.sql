{{ config(
    materialized='incremental',
    unique_key='activity_date',
    partition_by=by_day('activity_date'),
    cluster_by=['bucket_name', 'digest'],
    meta={'restates': {'gcs_usage': [-1, 1]}},
) }}
{%- set restated = restated_days() %}
{%- set least = var('config_min_bytes') %}
{%- set in_burst =
    'partition by session_id, burst_started_micros order by first_read_micros, digest'
%}
{%- set whole = 'rows between unbounded preceding and unbounded following' %}
{%- set first_bytes, last_bytes =
    'first_value(small_bytes ignore nulls) over (' ~ in_burst ~ ' ' ~ whole ~ ')',
    'last_value(small_bytes ignore nulls) over (' ~ in_burst ~ ' ' ~ whole ~ ')'
%}
with

burst_blobs as (

    select * from {{ ref('pullstats', 'int_burst_blobs') }}
    where {{ is_restated('session_date', restated) }}

),

compared as (

    select
        *,
        -- sorts as time and digest do, and ends in the bytes
        {{ sortable_micros('first_read_micros') }}
        || digest
        || {{ sortable_micros('small_bytes') }} as read_order,
        case config_position
            when 'first' then {{ first_bytes }}
            when 'last' then {{ last_bytes }}
            when 'either' then least({{ first_bytes }}, {{ last_bytes }})
            else min(small_bytes) over ({{ in_burst }} {{ whole }})
        end as expected_bytes,
        -- an attestation between two configs does not part them
        last_value(case when blob_bytes >= {{ least }} then blob_bytes end ignore nulls) over (
            {{ in_burst }} rows between unbounded preceding and 1 preceding
        ) as previous_bytes
    from burst_blobs

),

sized as (

    select
        *,
        small_bytes * 10 between expected_bytes * 9 and expected_bytes * 11 as is_alike
    from compared

),

bursts as (

    select
        session_id,
        burst_started_micros,
        {{ count_if('blob_bytes >= ' ~ least) }} as blob_count,
        {{ count_if('blob_bytes between 1 and ' ~ (least - 1)) }} as tiny_count,
        {{ count_if('is_alike') }} as alike_count,
        {{ count_if(
            'small_bytes * 10 > expected_bytes * 11 and small_bytes <= expected_bytes * 4'
        ) }} as middle_count,
        {{ count_if(
            'small_bytes <= expected_bytes * 4 and previous_bytes <= expected_bytes * 4'
        ) }} as adjacent_count,
        count(small_bytes) as small_count,
        {{ sortable_micros('min(first_read_micros)') }} as burst_order,
        min(read_order) as first_order,
        max(read_order) as last_order
    from sized
    group by session_id, burst_started_micros

),

-- clients fetch an image's config before its layers, or after them: burst after burst the position
-- in which a blob is read, among those small enough for a config, tells them apart
placed as (

    select
        sized.*,
        -- a tiny blob may be the layer behind a config, or the empty config of an artifact
        (
            bursts.blob_count > 1
            or (bursts.tiny_count > 0 and left(bursts.first_order, 18) = bursts.burst_order)
        )
        -- an attestation is read at the same time as the config and the layers
        and not (
            sized.reads_attestations
            and sized.small_bytes is not null
            and bursts.small_count > 1
            and bursts.tiny_count > 0
        ) as is_comparable,
        -- configs of several builds are alike in size, and larger layers lie between them; those of
        -- an index lie side by side, and so do all if there is no layer
        bursts.alike_count > 1
        and bursts.middle_count = 0
        and (
            bursts.adjacent_count = 0
            or bursts.alike_count = bursts.blob_count
            or (sized.reads_index and bursts.adjacent_count = bursts.alike_count - 1)
        ) as has_many_configs,
        case
            when sized.config_position = 'first' then sized.read_order = bursts.first_order
            when sized.config_position = 'last' then sized.read_order = bursts.last_order
            when sized.config_position is null then false
            -- at either end: the smaller blob of the two
            when right(bursts.first_order, 18) <= right(bursts.last_order, 18)
                then sized.read_order = bursts.first_order
            else sized.read_order = bursts.last_order
        end as is_at_position
    from sized
    inner join bursts using (session_id, burst_started_micros)

),

-- what is alike, but not at the position, may be another build's config or a layer
judged as (

    select
        *,
        served_bytes > 0
        and is_comparable
        and case
            when has_many_configs then true
            when config_position is null then false
            else is_at_position or not coalesce(is_alike, false)
        end as is_telling,
        case when has_many_configs then is_alike else is_at_position end as is_config
    from placed

)

select
    bucket_name,
    digest,
    image,
    {{ count_if('served_bytes > 0') }} as burst_count,
    {{ count_if('is_telling') }} as bursts_with_position_count,
    {{ count_if('is_telling and is_config') }} as bursts_at_config_position_count,
    {{ sum_of('served_bytes') }} as served_bytes,
    max(max_complete_response_bytes) as max_complete_response_bytes,
    min(first_read_micros) as first_read_micros,
    max(last_read_micros) as last_read_micros,
    session_date as activity_date
from judged
group by bucket_name, digest, image, session_date
