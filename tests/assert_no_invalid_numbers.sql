{{ config(severity='warn') }}
-- Finds impossible numbers: a time before 2010 or after its arrival, a negative size, a request
-- of weeks. Staging makes them null, or 1970. The records still count.
{%- for log_source, (rows, _) in logs().items() %}
{{ 'union all' if not loop.first }}
select
    '{{ log_source }}' as log_source,
    loaded_at,
    count(*) as record_count
from {{ ref('pullstats', rows) }}
where
    has_invalid_number
    and {{ tested('loaded_at', as_time=true) }}
group by loaded_at
{%- endfor %}
