{{ config(materialized='view') }}
with

project_days as (

    select * from {{ ref('pullstats', 'fct_project_days') }}

)

select
    registry_host,
    project_id,
    {{ count_if('is_covered') }} as covered_days,
    min(log_date) as logged_since,
    max(log_date) as logged_through
from project_days
group by registry_host, project_id
