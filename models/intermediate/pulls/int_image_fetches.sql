{{ config(materialized='view', meta={'day': 'session_date'}) }}
with

blob_fetches as (

    select * from {{ ref('pullstats', 'int_blob_fetches') }}

)

select * from blob_fetches
