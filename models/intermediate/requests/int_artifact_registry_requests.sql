{{ config(enabled='cloud_audit' in logs(), materialized='view', meta={'day': 'event_date'}) }}
with

received as (

    select * from {{ ref('pullstats', 'int_artifact_registry_request_records') }}

)

select * from received
where not is_redelivery
