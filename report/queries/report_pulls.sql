-- Pulls and clients by period, place and caller; single images only if they are pulled most.
{%- set oldest = dbt.dateadd('day', -var('report_days'), 'max(newest.pull_date)') %}
select
    period,
    place,
    registry_host,
    project_id,
    image,
    caller,
    traffic_class,
    client_tool,
    pulls,
    end_user_pulls,
    incomplete_pulls,
    clients,
    end_user_clients,
    served_bytes,
    period_start
from {{ optional_mart('fct_image_pulls_by_period') }}
where
    (place != 'image' or image in {{ report_images() }})
    and (period != 'day' or place != 'image' or caller != 'tool')
    and (
        period != 'day'
        or period_start > (
            select cast({{ oldest }} as date)
            from {{ optional_mart('fct_image_pulls') }} as newest
        )
    )
