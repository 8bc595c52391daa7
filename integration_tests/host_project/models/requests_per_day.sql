{# a strategy and a test that pullstats has macros of its own for, which are not for this model #}
{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite' if target.type == 'bigquery' else 'delete+insert',
    unique_key='request_date',
    partition_by={'field': 'request_date', 'data_type': 'date'} if target.type == 'bigquery' else none,
) }}

select
    request_date,
    sum(requests) as requests
from {{ ref('pullstats', 'fct_registry_requests_daily') }}
group by request_date
