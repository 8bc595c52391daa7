-- All reads of a session have one client and one image, so no two sessions have the same key.
with

clients_of_sessions as (

    select distinct
        session_id,
        client_id,
        client_network,
        client_tool,
        client_version,
        traffic_class,
        bucket_name,
        image,
        session_date
    from {{ ref('pullstats', 'int_blob_reads') }}
    where {{ tested('session_date') }}

)

select
    session_date,
    session_id
from clients_of_sessions
group by session_date, session_id
having count(*) > 1
