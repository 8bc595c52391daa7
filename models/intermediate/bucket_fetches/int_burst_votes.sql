{{ config(
    enabled='gcs_usage' in logs(),
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['bucket_name', 'digest'],
    meta={'restates': {'gcs_usage': [-1, 1]}},
) }}
{%- set restated = restated_days() %}
{%- set in_order = ['first_read_micros', 'blob_bytes', 'digest'] %}
{%- set least, usual = var('config_least_bytes'), var('config_usual_bytes') %}
{%- set ends_of_burst = '(' ~ field_of('at_ends.first_small', 'blob_bytes') ~ ', '
    ~ field_of('at_ends.last_small', 'blob_bytes') ~ ')' %}
{%- set smaller, larger = 'least' ~ ends_of_burst, 'greatest' ~ ends_of_burst %}
with

bursts as {{ materialized_cte() }}

    select
        *,
        {{ fingerprint(['session_id', 'burst_started_micros']) }} as burst_key
    from {{ ref('pullstats', 'int_bursts') }}
    where {{ is_restated('session_date', restated) }}

),

burst_sizes as (

    select
        burst_key,
        {{ count_if('blob_bytes between ' ~ least ~ ' and ' ~ usual) }} as usual_count,
        {{ count_if('blob_bytes > ' ~ 4 * usual) }} as layer_count,
        -- the empty config of an artifact is the first or the last blob; one between others may be
        -- that of an attestation beside an image
        {{ count_if('is_empty_config') }} > 0 as has_empty_config,
        coalesce(
            min(case when is_empty_config then first_read_micros end) = min(first_read_micros)
            or max(case when is_empty_config then first_read_micros end) = max(first_read_micros),
            false
        ) as is_of_artifact,
        min(first_read_micros) as burst_first_read_micros,
        case
            when any_value(config_position) = 'last' then max(first_read_micros)
            else min(first_read_micros)
        end as config_micros
    from bursts
    group by burst_key

),

-- a tiny blob can be a config if it is read before all others, or after them by programs that read
-- configs last
with_limits as {{ materialized_cte(false) }}

    select
        bursts.*,
        burst_sizes.usual_count,
        burst_sizes.layer_count,
        burst_sizes.has_empty_config,
        burst_sizes.is_of_artifact,
        burst_sizes.burst_first_read_micros,
        case
            when
                bursts.first_read_micros = burst_sizes.config_micros
                and (
                    bursts.tiny_config = 'by_order'
                    or (
                        bursts.tiny_config = 'beside_layers'
                        and burst_sizes.usual_count = 1
                        and burst_sizes.layer_count > 0
                    )
                )
                then {{ least }}
            else {{ var('config_min_bytes') }}
        end as least_bytes
    from bursts
    inner join burst_sizes on bursts.burst_key = burst_sizes.burst_key

),

sized as (

    select
        *,
        case when blob_bytes >= least_bytes then blob_bytes end as counted_bytes,
        case
            when blob_bytes between least_bytes and {{ var('config_max_bytes') }} then blob_bytes
        end as small_bytes,
        blob_bytes between 1 and least_bytes - 1 as is_tiny
    from with_limits

),

-- the first and the last of the small blobs are at either end of a burst
ends as (

    select
        burst_key,
        any_value(config_position) as config_position,
        count(counted_bytes) as blob_count,
        min(case when counted_bytes > 0 then first_read_micros end) as first_micros,
        max(case when counted_bytes > 0 then first_read_micros end) as last_micros,
        {{ count_if('is_tiny') }} as tiny_count,
        count(small_bytes) as small_count,
        min(case when is_tiny and blob_bytes >= {{ least }} then first_read_micros end)
            as first_tiny_micros,
        {{ first_row(in_order, 'small_bytes is not null') }} as first_small,
        {{ last_row(in_order, 'small_bytes is not null') }} as last_small
    from sized
    group by burst_key

),

at_ends as (

    select
        ends.*,
        {{ field_of('ends.first_small', 'first_read_micros') }} = ends.first_micros
            as begins_with_small,
        {{ field_of('ends.last_small', 'first_read_micros') }} = ends.last_micros
            as ends_with_small
    from ends

),

-- a program whose order is not known shows it if only one end of a burst is a small blob
at_positions as (

    select
        at_ends.*,
        case
            when at_ends.config_position = 'first' then at_ends.first_small
            when at_ends.config_position = 'last' then at_ends.last_small
            -- either end can be the config
            when
                at_ends.config_position = 'either'
                and at_ends.begins_with_small
                and at_ends.ends_with_small
                and {{ larger }} <= {{ usual }}
                and {{ larger }} * 10 > {{ smaller }} * 11
                then null
            when
                at_ends.config_position = 'either'
                and {{ field_of('at_ends.first_small', 'blob_bytes') }}
                <= {{ field_of('at_ends.last_small', 'blob_bytes') }}
                then at_ends.first_small
            when at_ends.config_position = 'either' then at_ends.last_small
            when at_ends.config_position = 'none' then null
            when at_ends.begins_with_small and not at_ends.ends_with_small then at_ends.first_small
            when at_ends.ends_with_small and not at_ends.begins_with_small then at_ends.last_small
            -- or only one has the usual size of a config
            when
                at_ends.begins_with_small
                and {{ field_of('at_ends.first_small', 'blob_bytes') }} <= {{ usual }}
                and {{ field_of('at_ends.last_small', 'blob_bytes') }} > {{ usual }}
                then at_ends.first_small
            when
                at_ends.begins_with_small
                and {{ field_of('at_ends.last_small', 'blob_bytes') }} <= {{ usual }}
                and {{ field_of('at_ends.first_small', 'blob_bytes') }} > {{ usual }}
                then at_ends.last_small
        end as elected
    from at_ends

),

-- joined wherever it is read: of ten million rows, a copy would go to the disk
compared as {{ materialized_cte(false) }}

    select
        sized.*,
        at_positions.blob_count,
        at_positions.tiny_count,
        at_positions.small_count,
        at_positions.first_tiny_micros,
        at_positions.first_micros,
        at_positions.last_micros,
        {{ field_of('at_positions.first_small', 'first_read_micros') }} as first_small_micros,
        {{ field_of('at_positions.elected', 'digest') }} as elected_digest,
        {{ field_of('at_positions.elected', 'first_read_micros') }} as elected_micros,
        {{ field_of('at_positions.elected', 'blob_bytes') }} as config_bytes,
        coalesce(sized.digest = {{ field_of('at_positions.elected', 'digest') }}, false)
            as is_elected
    from sized
    inner join at_positions on sized.burst_key = at_positions.burst_key

),

with_config_sizes as (

    select
        *,
        coalesce(small_bytes * 10 between config_bytes * 9 and config_bytes * 11, false)
            as has_config_like_size
    from compared

),

burst_counts as (

    select
        burst_key,
        {{ count_if('has_config_like_size') }} as config_like_count,
        {{ count_if(
            'small_bytes * 10 > config_bytes * 11 and small_bytes <= ' ~ usual
        ) }} as larger_small_count,
        -- docker asks for the config and for the first layers at once
        {{ count_if(
            'blob_bytes between ' ~ least ~ ' and ' ~ usual
            ~ ' and first_read_micros <= elected_micros + 200000'
        ) }} as close_count
    from with_config_sizes
    group by burst_key

),

-- few bursts have several blobs like a config: only there the order of all blobs counts
neighbors as (

    select
        compared.burst_key,
        compared.config_bytes,
        compared.has_config_like_size,
        -- an attestation between two configs does not separate them
        last_value(compared.counted_bytes ignore nulls) over (
            partition by compared.burst_key
            order by compared.first_read_micros, compared.blob_bytes, compared.digest
            rows between unbounded preceding and 1 preceding
        ) as previous_bytes
    from with_config_sizes as compared
    inner join burst_counts on compared.burst_key = burst_counts.burst_key
    where
        burst_counts.config_like_count > 1
        and burst_counts.larger_small_count = 0

),

adjacent_configs as (

    select
        burst_key,
        -- the bytes of a log's sums are not multiplied: they may be the largest integer
        {{ count_if(
            'has_config_like_size and previous_bytes <= '
            ~ integer_divide('config_bytes * 11', 10)
        ) }} as adjacent_count
    from neighbors
    group by burst_key

),

-- configs of several builds have similar sizes, with larger layers between them; those of an
-- index are adjacent, and so are all blobs without a layer
with_several_configs as (

    select
        with_config_sizes.*,
        burst_counts.close_count,
        adjacent_configs.adjacent_count is not null
        -- a layer before the first config, or behind the last, has none
        and with_config_sizes.elected_micros
        in (with_config_sizes.first_micros, with_config_sizes.last_micros)
        -- a tiny config is before its layers, each config of an index has an attestation
        and (
            with_config_sizes.tiny_count = 0
            or with_config_sizes.first_small_micros < with_config_sizes.first_tiny_micros
            or with_config_sizes.tiny_count >= burst_counts.config_like_count
        )
        and (
            adjacent_configs.adjacent_count = 0
            or (
                with_config_sizes.index_read != 'one_platform'
                and adjacent_configs.adjacent_count = burst_counts.config_like_count - 1
            )
        ) as has_several_configs
    from with_config_sizes
    inner join burst_counts on with_config_sizes.burst_key = burst_counts.burst_key
    left join adjacent_configs on with_config_sizes.burst_key = adjacent_configs.burst_key

),

-- the first rule that holds decides
ruled as (

    select
        *,
        case
            when served_bytes = 0 then 'not_served'
            when is_empty_config then 'empty_config'
            when is_of_artifact then 'beside_empty_config'
            -- tiny blobs behind the only other one are its layers
            when
                blob_count < 2
                and not coalesce(
                    tiny_count > 0 and first_small_micros = burst_first_read_micros, false
                )
                then 'alone'
            when
                small_bytes is not null
                and small_count > 1
                and (has_empty_config or reads_attestations and (tiny_count > 0 or layer_count > 0))
                then 'attestation_beside'
            when has_several_configs then 'several_configs'
            when config_position = 'unknown' or elected_digest is null then 'order_unknown'
            -- an image whose config is tiny, or one whose tiny layer has overtaken the config
            when first_tiny_micros < first_small_micros then 'tiny_blob_first'
            -- a small layer may have overtaken the config
            when
                is_elected
                and (
                    usual_count > 5 and close_count > 1
                    or usual_count > 1 and small_bytes < {{ var('config_min_bytes') }}
                )
                then 'among_small_blobs'
            when is_elected and config_position = 'either' then 'at_either_end'
            when is_elected then 'at_config_position'
            when is_tiny and blob_bytes >= {{ least }} and tiny_config = 'never'
                then 'tiny_blob'
            when has_config_like_size then 'size_of_config'
            else 'not_at_config_position'
        end as vote_rule
    from with_several_configs

)

select
    digest,
    client_network,
    bucket_name,
    image,
    case
        when vote_rule = 'beside_empty_config' then 'artifact'
        when vote_rule = 'tiny_blob_first' then 'open'
        when
            vote_rule in ('at_either_end', 'among_small_blobs', 'at_config_position')
            then 'config'
        when vote_rule = 'several_configs' and has_config_like_size then 'config'
        when vote_rule = 'several_configs' and is_tiny then 'none'
        when vote_rule in ('several_configs', 'not_at_config_position') then 'layer'
        else 'none'
    end as vote,
    vote_rule,
    case when vote_rule in ('several_configs', 'not_at_config_position') then elected_digest end
        as elected_digest,
    served_bytes,
    max_complete_response_bytes,
    blob_bytes,
    reads_cache,
    first_read_micros,
    last_read_micros,
    session_date
from ruled
