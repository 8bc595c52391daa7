{{ config(enabled='gcs_usage' in logs(), materialized='view', meta={'day': 'event_date'}) }}
with

received as (

    select * from {{ ref('pullstats', 'int_gcs_request_records') }}

)

select
    *,
    {{ traffic_class('operation', 'client_network', 'client_class') }} as traffic_class
from received
where not is_redelivery
