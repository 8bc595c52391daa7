{%- set restated = restate_by_day(
    'activity_date', follows=[ref('int_blob_reads_sessionized')],
    cluster_by=['bucket_name', 'digest'],
) %}
{%- set least = var('config_min_bytes') %}
{%- set usual = 4 * var('config_usual_bytes') %}
with

blob_reads as (

    select * from {{ ref('int_blob_reads_sessionized') }}
    where {{ is_restated('session_date', restated) }}

),

blobs_of_bursts as (

    select
        session_id,
        burst_started_micros,
        digest,
        any_value(session_date) as activity_date,
        any_value(client_tool) as client_tool,
        any_value(client_version) as client_version,
        any_value(bucket_name) as bucket_name,
        any_value(image) as image,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(case when status_code = 200 then served_bytes end) as max_complete_response_bytes,
        min(case when served_bytes > 0 then started_micros end) as first_read_micros,
        max(case when served_bytes > 0 then started_micros end) as last_read_micros
    from blob_reads
    group by session_id, burst_started_micros, digest

),

sized as (

    select
        blobs_of_bursts.*,
        client_tools.config_position,
        client_tools.index_read,
        coalesce(
            {{ version_part('blobs_of_bursts.client_version', 1) }}
            >= client_tools.attestations_since, false
        ) as reads_attestations,
        case
            when
                blobs_of_bursts.served_bytes
                between {{ least }} and {{ var('config_max_bytes') }}
                then blobs_of_bursts.served_bytes
        end as small_bytes
    from blobs_of_bursts
    left join {{ ref('client_tools') }} as client_tools
        on blobs_of_bursts.client_tool = client_tools.tool

),

compared as (

    select
        *,
        -- sorts as time and digest do, and ends in the bytes
        {{ sortable_micros('first_read_micros') }}
        || digest
        || {{ sortable_micros('small_bytes') }} as read_order,
        min(small_bytes) over (partition by session_id, burst_started_micros)
            as smallest_bytes,
        -- an attestation between two configs does not part them
        last_value(case when served_bytes >= {{ least }} then served_bytes end ignore nulls) over (
            partition by session_id, burst_started_micros order by first_read_micros, digest
            rows between unbounded preceding and 1 preceding
        ) as previous_bytes
    from sized

),

bursts as (

    select
        session_id,
        burst_started_micros,
        {{ count_if('served_bytes > 0') }} as blob_count,
        {{ count_if('small_bytes * 10 <= smallest_bytes * 11') }} as alike_count,
        {{ count_if(
            'small_bytes * 10 > smallest_bytes * 11 and small_bytes <= smallest_bytes * 4'
        ) }} as middle_count,
        {{ count_if('small_bytes <= smallest_bytes * 4 and previous_bytes <= smallest_bytes * 4') }}
            as adjacent_count,
        {{ count_if('small_bytes <= ' ~ usual ~ ' and previous_bytes <= ' ~ usual) }}
            as side_by_side_count,
        min(read_order) as first_order,
        max(read_order) as last_order
    from compared
    group by session_id, burst_started_micros

),

-- clients fetch an image's config before its layers, or after them: burst after burst the position
-- in which a blob is read, among those small enough for a config, tells them apart
placed as (

    select
        compared.*,
        bursts.first_order,
        bursts.last_order,
        bursts.blob_count > 1
        -- an attestation is read at the same time as the config
        and not (
            compared.reads_attestations
            and compared.small_bytes is not null
            and bursts.side_by_side_count > 0
        ) as is_comparable,
        -- configs of several builds are alike in size, and larger layers lie between them; those of
        -- an index lie side by side, and so do all if there is no layer
        bursts.alike_count > 1
        and bursts.middle_count = 0
        and (
            bursts.adjacent_count = 0
            or bursts.alike_count = bursts.blob_count
            or (compared.index_read is not null and bursts.adjacent_count = bursts.alike_count - 1)
        ) as has_many_configs
    from compared
    inner join bursts using (session_id, burst_started_micros)

)

select
    bucket_name,
    digest,
    image,
    {{ count_if('served_bytes > 0') }} as session_count,
    {{ count_if(
        'served_bytes > 0 and is_comparable and (config_position is not null or has_many_configs)'
    ) }} as sessions_with_position_count,
    {{ count_if(
        "is_comparable and case"
        ~ " when has_many_configs then small_bytes * 10 <= smallest_bytes * 11"
        ~ " when config_position = 'first' then read_order = first_order"
        ~ " when config_position = 'last' then read_order = last_order"
        ~ " when config_position is null then false"
        ~ " when right(first_order, 18) <= right(last_order, 18) then read_order = first_order"
        ~ " else read_order = last_order end"
    ) }} as sessions_at_config_position_count,
    {{ sum_of('served_bytes') }} as served_bytes,
    max(max_complete_response_bytes) as max_complete_response_bytes,
    min(first_read_micros) as first_read_micros,
    max(last_read_micros) as last_read_micros,
    activity_date
from placed
group by bucket_name, digest, image, activity_date
