{{ config(enabled='gcs_usage' in logs()) }}
select
    {{ micros_to_timestamp('started_micros') }} as read_at,
    status_code,
    client_network,
    client_tool
from {{ ref('pullstats', 'int_gcs_requests') }}
where
    operation = 'read'
    and digest = {{ parameter('image_id') }}
order by started_micros
