{{ config(materialized='view', meta={'day': 'session_date'}) }}
{%- set of_burst = 'partition by session_date, session_id, burst_started_micros' %}
{%- set in_order = 'order by first_read_micros, blob_bytes, digest' %}
{%- set least, usual = var('config_least_bytes'), var('config_usual_bytes') %}
with

bursts as (

    select * from {{ ref('pullstats', 'int_bursts') }}

),

with_counts as (

    select
        *,
        count(case when blob_bytes between {{ least }} and {{ usual }} then digest end)
            over ({{ of_burst }}) as usual_count,
        count(case when blob_bytes > 4 * {{ usual }} then digest end)
            over ({{ of_burst }}) as layer_count,
        count(case when is_empty_config then digest end)
            over ({{ of_burst }}) as empty_config_count,
        case
            when config_position = 'last' then max(first_read_micros) over ({{ of_burst }})
            else min(first_read_micros) over ({{ of_burst }})
        end as config_micros,
        min(first_read_micros) over ({{ of_burst }}) as burst_first_read_micros
    from bursts

),

-- a tiny blob can be a config if it is read before all others, or after them by programs that read
-- configs last
with_limits as (

    select
        *,
        case
            when
                first_read_micros = config_micros
                and (
                    tiny_config = 'by_order'
                    or (tiny_config = 'beside_layers' and usual_count = 1 and layer_count > 0)
                )
                then {{ least }}
            else {{ var('config_min_bytes') }}
        end as least_bytes
    from with_counts

),

sized as (

    select
        *,
        case when blob_bytes >= least_bytes then blob_bytes end as counted_bytes,
        case
            when blob_bytes between least_bytes and {{ var('config_max_bytes') }} then blob_bytes
        end as small_bytes,
        case
            when blob_bytes between least_bytes and {{ var('config_max_bytes') }} then digest
        end as small_digest,
        blob_bytes between 1 and least_bytes - 1 as is_tiny
    from with_limits

),

with_ends as (

    select
        *,
        {%- for end in ['first', 'last'] %}
        {%- for column in ['small_bytes', 'small_digest'] %}
        {{ end }}_value({{ column }} ignore nulls) over (
            {{ of_burst }} {{ in_order }} rows between unbounded preceding and unbounded following
        ) as {{ end }}_{{ column }},
        {%- endfor %}
        {%- endfor %}
        min(small_bytes) over ({{ of_burst }}) as smallest_bytes,
        min(case when small_bytes > 0 then first_read_micros end) over ({{ of_burst }})
            as first_small_micros,
        min(case when is_tiny and blob_bytes >= {{ least }} then first_read_micros end)
            over ({{ of_burst }}) as first_tiny_micros,
        -- an attestation between two configs does not part them
        last_value(counted_bytes ignore nulls) over (
            {{ of_burst }} {{ in_order }} rows between unbounded preceding and 1 preceding
        ) as previous_bytes
    from sized

),

elected as (

    select
        *,
        case
            when config_position = 'first' then first_small_digest
            when config_position = 'last' then last_small_digest
            when config_position = 'either' and first_small_bytes <= last_small_bytes
                then first_small_digest
            when config_position = 'either' then last_small_digest
        end as elected_digest,
        case config_position
            when 'first' then first_small_bytes
            when 'last' then last_small_bytes
            when 'either' then least(first_small_bytes, last_small_bytes)
            else smallest_bytes
        end as config_bytes
    from with_ends

),

compared as (

    select
        *,
        coalesce(digest = elected_digest, false) as is_elected,
        coalesce(small_bytes * 10 between config_bytes * 9 and config_bytes * 11, false)
            as has_config_like_size,
        max(case when digest = elected_digest then first_read_micros end) over ({{ of_burst }})
            as elected_micros
    from elected

),

counted as (

    select
        *,
        count(counted_bytes) over ({{ of_burst }}) as blob_count,
        -- docker asks for the config and for the first layers at once
        count(case
            when
                blob_bytes between {{ least }} and {{ usual }}
                and first_read_micros <= elected_micros + 200000
                then digest
        end) over ({{ of_burst }}) as close_count,
        count(case when is_tiny then digest end) over ({{ of_burst }}) as tiny_count,
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
            when is_tiny and blob_bytes >= {{ least }} and tiny_config = 'never' then 'tiny_blob'
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
