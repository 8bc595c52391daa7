-- Pulls and clients by period, image level and client level;
-- single images only if they are pulled most.
{%- set oldest = dbt.dateadd('day', -var('report_days'), 'max(newest.pull_date)') %}
select
    period,
    image_level,
    registry_host,
    project_id,
    image,
    client_level,
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
    (image_level != 'image' or image in {{ report_images() }})
    and (period != 'day' or image_level != 'image' or client_level != 'tool')
    and (
        period != 'day'
        or period_start > (
            select cast({{ oldest }} as date)
            from {{ optional_mart('fct_image_pulls') }} as newest
        )
    )
