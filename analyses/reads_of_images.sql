{{ config(enabled='gcs_usage' in logs()) }}
select
    {{ micros_to_timestamp('started_micros') }} as read_at,
    image,
    digest,
    status_code,
    client_network
from {{ ref('pullstats', 'int_gcs_requests') }}
where
    operation = 'read'
    and image is not null
order by started_micros
