{{ config(materialized='view', meta={'day': 'session_date'}) }}

select
    session_id,
    session_date,
    {{ count_if("object_kind = 'manifest' and operation = 'read'") }} as gets,
    {{ count_if("object_kind = 'blob' and not is_refused") }} as blob_reads,
    {{ count_if("operation = 'list'") }} as tag_lists,
    max(case when operation = 'write' then started_micros end) as last_written_micros
from {{ ref('pullstats', 'int_manifest_reads') }}
group by session_id, session_date
