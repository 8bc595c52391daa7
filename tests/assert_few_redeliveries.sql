{{ config(severity='warn') }}
-- Cloud Storage rarely delivers a record twice. More than one in a hundred on a day means that log
-- objects have landed twice under other names, or as copies.
select
    event_date,
    count(*) as rows_received,
    {{ count_if('is_redelivery') }} as redelivered_rows
from {{ ref('pullstats', 'int_gcs_request_records') }}
where {{ tested('event_date') }}
group by event_date
having {{ count_if('is_redelivery') }} > 0.01 * count(*)
