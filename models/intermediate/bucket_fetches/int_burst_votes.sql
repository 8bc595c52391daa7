{{ config(materialized='view', meta={'day': 'session_date'}) }}
{%- set of_burst = 'partition by session_date, session_id, burst_started_micros' %}
{%- set in_order = 'order by first_read_micros, blob_bytes, digest' %}
{%- set least, usual = var('config_least_bytes'), var('config_usual_bytes') %}
with

bursts as (

    select * from {{ ref('pullstats', 'int_bursts') }}

),

of_usual_size as (

    select
        *,
        count(case when blob_bytes between {{ least }} and {{ usual }} then digest end)
            over ({{ of_burst }}) as usual_count,
        count(case when blob_bytes > 4 * {{ usual }} then digest end)
            over ({{ of_burst }}) as layer_count,
        count(case when is_empty_config then digest end)
            over ({{ of_burst }}) as empty_config_count,
        min(first_read_micros) over ({{ of_burst }}) as burst_first_read_micros,
        max(first_read_micros) over ({{ of_burst }}) as burst_last_read_micros
    from bursts

),

-- a tiny blob can be a config if it is read before all others, or after them by programs that read
-- configs last
with_limits as (

    select
        *,
        case
            when
                first_read_micros != case
                    when config_position = 'last' then burst_last_read_micros
                    else burst_first_read_micros
                end
                then {{ var('config_min_bytes') }}
            when tiny_config = 'by_order' then {{ least }}
            when tiny_config = 'beside_layers' and usual_count = 1 and layer_count > 0
                then {{ least }}
            else {{ var('config_min_bytes') }}
        end as least_bytes
    from of_usual_size

),

sized as (

    select
        *,
        case when served_bytes > 0 and blob_bytes >= least_bytes then blob_bytes end
            as counted_bytes,
        case when served_bytes > 0 and blob_bytes < least_bytes then blob_bytes end
            as tiny_bytes,
        case
            when
                served_bytes > 0
                and blob_bytes between least_bytes and {{ var('config_max_bytes') }}
                then blob_bytes
        end as small_bytes
    from with_limits

),

placed as (

    select
        *,
        small_bytes is not null and row_number() over (
            {{ of_burst }}, small_bytes is null {{ in_order }}
        ) = 1 as is_first_small,
        small_bytes is not null and row_number() over (
            {{ of_burst }}, small_bytes is null
            order by first_read_micros desc, blob_bytes desc, digest desc
        ) = 1 as is_last_small,
        min(case when tiny_bytes >= {{ least }} then first_read_micros end) over ({{ of_burst }})
            as first_tiny_micros,
        -- an attestation between two configs does not part them
        last_value(counted_bytes ignore nulls) over (
            {{ of_burst }} {{ in_order }} rows between unbounded preceding and 1 preceding
        ) as previous_bytes
    from sized

),

with_ends as (

    select
        *,
        max(case when is_first_small then small_bytes end) over ({{ of_burst }}) as first_bytes,
        max(case when is_last_small then small_bytes end) over ({{ of_burst }}) as last_bytes,
        max(case when is_first_small then first_read_micros end) over ({{ of_burst }})
            as first_small_micros,
        min(small_bytes) over ({{ of_burst }}) as smallest_bytes
    from placed

),

elected as (

    select
        *,
        coalesce(
            (config_position = 'first' and is_first_small)
            or (config_position = 'last' and is_last_small)
            or (config_position = 'either' and first_bytes <= last_bytes and is_first_small)
            or (config_position = 'either' and first_bytes > last_bytes and is_last_small),
            false
        ) as is_elected,
        case config_position
            when 'first' then first_bytes
            when 'last' then last_bytes
            when 'either' then least(first_bytes, last_bytes)
            else smallest_bytes
        end as config_bytes
    from with_ends

),

compared as (

    select
        *,
        coalesce(small_bytes * 10 between config_bytes * 9 and config_bytes * 11, false)
            as has_config_like_size,
        max(case when is_elected then first_read_micros end) over ({{ of_burst }})
            as elected_micros
    from elected

),

counted as (

    select
        *,
        max(case when is_elected then digest end) over ({{ of_burst }}) as elected_digest,
        count(counted_bytes) over ({{ of_burst }}) as blob_count,
        -- docker asks for the config and for the first layers at once
        count(case
            when
                blob_bytes between {{ least }} and {{ usual }}
                and first_read_micros <= elected_micros + 200000
                then digest
        end) over ({{ of_burst }}) as close_count,
        count(tiny_bytes) over ({{ of_burst }}) as tiny_count,
        count(small_bytes) over ({{ of_burst }}) as small_count,
        count(case when has_config_like_size then digest end) over ({{ of_burst }})
            as config_like_count,
        count(case
            when small_bytes * 10 > config_bytes * 11 and small_bytes <= config_bytes * 4
                then digest
        end) over ({{ of_burst }}) as larger_small_count,
        count(case
            when small_bytes <= config_bytes * 4 and previous_bytes <= config_bytes * 4
                then digest
        end) over ({{ of_burst }}) as adjacent_count
    from compared

),

-- configs of several builds are alike in size, and larger layers lie between them; those of an
-- index lie side by side, and so do all if there is no layer
with_several_configs as (

    select
        *,
        config_like_count > 1
        and larger_small_count = 0
        and (
            adjacent_count = 0
            or config_like_count = blob_count
            or (index_read != 'one_platform' and adjacent_count = config_like_count - 1)
        ) as has_several_configs
    from counted

),

-- the first rule that holds decides
ruled as (

    select
        *,
        case
            when served_bytes = 0 then 'not_served'
            when is_empty_config then 'empty_config'
            when empty_config_count > 0 then 'beside_empty_config'
            -- tiny blobs behind the only other one are its layers
            when
                blob_count < 2
                and not coalesce(
                    tiny_count > 0 and first_small_micros = burst_first_read_micros, false
                )
                then 'alone'
            when
                reads_attestations
                and small_bytes is not null
                and small_count > 1
                and tiny_count > 0
                then 'attestation_beside'
            when has_several_configs then 'several_configs'
            when config_position = 'unknown' then 'order_unknown'
            -- an image whose config is tiny, or one whose tiny layer has overtaken the config
            when first_tiny_micros < first_small_micros and config_position != 'last'
                then 'tiny_blob_first'
            when is_elected and usual_count = 1 and small_bytes <= {{ usual }}
                then 'only_small_blob'
            -- a small layer may have overtaken the config
            when
                is_elected
                and (
                    (usual_count > 5 and close_count > 1)
                    or small_bytes < {{ var('config_min_bytes') }}
                )
                then 'among_small_blobs'
            when is_elected then 'at_config_position'
            when has_config_like_size then 'size_of_config'
            else 'not_at_config_position'
        end as vote_rule
    from with_several_configs

)

select
    session_id,
    burst_started_micros,
    digest,
    client_network,
    bucket_name,
    image,
    case
        when vote_rule = 'beside_empty_config' then 'artifact'
        when vote_rule = 'tiny_blob_first' then 'open'
        when vote_rule in ('only_small_blob', 'among_small_blobs', 'at_config_position')
            then 'config'
        when vote_rule = 'several_configs' and has_config_like_size then 'config'
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
