{{ config(materialized='view', meta={'day': 'session_date'}) }}
with

writes as (

    select * from {{ ref('pullstats', 'int_manifest_reads_rooted') }}
    where operation = 'write'

),

-- what a client writes has a digest, and may have a tag: it may ask for it by either
referred as (

    select
        session_id,
        tag as reference,
        started_micros,
        session_date
    from writes
    where tag is not null
    union all
    select
        session_id,
        digest as reference,
        started_micros,
        session_date
    from writes
    where digest is not null

)

select
    session_id,
    reference,
    min(started_micros) as first_written_micros,
    max(started_micros) as last_written_micros,
    session_date
from referred
group by session_id, reference, session_date
