{%- set restated = restate_by_day(
    'session_date', follows=[ref('int_manifest_reads_sessionized')], cluster_by=['image'],
) %}
with

reads as (

    select
        session_id,
        image,
        client_tool,
        object_kind,
        digest,
        coalesce(root_digest, '') as root_digest,
        started_micros,
        session_date
    from {{ ref('int_manifest_reads_sessionized') }}
    where
        (object_kind = 'blob' or is_child)
        and {{ is_restated('session_date', restated) }}

),

distinct_reads as (

    select
        session_id,
        image,
        client_tool,
        root_digest,
        object_kind,
        digest,
        session_date,
        count(*) as read_count,
        max(started_micros) as last_micros,
        row_number() over (
            partition by session_id, root_digest, object_kind order by min(started_micros), digest
        ) = 1 as is_first
    from reads
    group by session_id, image, client_tool, root_digest, object_kind, digest, session_date

)

select
    session_id,
    root_digest,
    image,
    client_tool,
    {{ sum_of("case when object_kind = 'manifest' then read_count end") }} as child_read_count,
    {{ sole_value("case when object_kind = 'manifest' then digest end") }} as only_child_digest,
    nullif({{ count_if("object_kind = 'blob'") }}, 0) as blob_count,
    {{ sum_of("case when object_kind = 'blob' then read_count end") }} as blob_read_count,
    min(case when object_kind = 'blob' then read_count end) as fewest_blob_reads,
    max(case when object_kind = 'blob' and is_first then digest end) as first_blob_digest,
    -- the first blob is the config, which a client reads again when it tries again
    max(case when object_kind = 'blob' and not is_first then read_count end) as most_layer_reads,
    max(case when object_kind = 'blob' then last_micros end) as last_blob_micros,
    session_date
from distinct_reads
group by session_id, root_digest, image, client_tool, session_date
