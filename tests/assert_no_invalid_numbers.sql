{{ config(severity='warn') }}
-- Finds impossible numbers: a time before 2010 or after its arrival, a negative size, a request
-- of weeks. Staging makes them null, or 1970; the records count otherwise.
select
    'gcs_usage' as log_source,
    loaded_at,
    count(*) as record_count
from {{ ref('pullstats', 'stg_gcs__usage_logs') }}
where
    has_invalid_number
    and {{ tested('loaded_at', as_time=true) }}
group by loaded_at
union all
select
    'cloud_audit' as log_source,
    loaded_at,
    count(*) as record_count
from {{ ref('pullstats', 'stg_artifact_registry__audit_logs') }}
where
    has_invalid_number
    and {{ tested('loaded_at', as_time=true) }}
group by loaded_at
