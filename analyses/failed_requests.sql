with

failed as (

    select
        image,
        client_tool,
        failure_reason,
        status_code,
        sum(failed_requests) as failed_requests,
        max(request_date) as last_failed_date
    from {{ ref('pullstats', 'fct_failed_requests_daily') }}
    where
        operation = 'read'
        and package_format = 'docker'
    group by image, client_tool, failure_reason, status_code

),

pulls as (

    select
        image,
        client_tool,
        sum(pulls) as pulls,
        sum(incomplete_pulls) as incomplete_pulls
    from {{ ref('pullstats', 'fct_image_pulls_daily') }}
    group by image, client_tool

)

select
    failed.image,
    failed.client_tool,
    failed.failure_reason,
    failed.status_code,
    failed.failed_requests,
    coalesce(pulls.pulls, 0) as pulls,
    coalesce(pulls.incomplete_pulls, 0) as incomplete_pulls,
    failed.last_failed_date
from failed
left join pulls
    on
        coalesce(failed.image, '') = coalesce(pulls.image, '')
        and failed.client_tool = pulls.client_tool
order by failed.failed_requests desc
