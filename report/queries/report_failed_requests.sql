-- Failed reads of images, by day, image, tool and status. Anybody can ask for images that don't
-- exist, so of these it names the ones that fail most.
with

failed as (

    select * from {{ ref('pullstats', 'fct_failed_requests_daily') }}
    where
        operation = 'read'
        and package_format = 'docker'

),

most_failed as (

    select image
    from failed
    where image is not null
    group by image
    qualify row_number() over (
        order by sum(failed_requests) desc, image asc
    ) <= {{ var('report_images') }}

),

named as (

    select
        log_source,
        registry_host,
        project_id,
        image as requested_image,
        coalesce(
            image not in (select most_failed.image from most_failed)
            and image not in (
                select top.image from {{ ref('pullstats', 'rpt_top_images') }} as top
            ), false
        ) as is_rest,
        traffic_class,
        client_tool,
        failure_reason,
        status_code,
        failed_requests,
        request_date
    from failed

),

shown as (

    select
        *,
        case when not is_rest then requested_image end as image
    from named

)

select
    log_source,
    registry_host,
    project_id,
    image,
    is_rest,
    traffic_class,
    client_tool,
    failure_reason,
    status_code,
    {{ sum_of('failed_requests') }} as failed_requests,
    request_date
from shown
group by
    log_source, registry_host, project_id, image, is_rest, traffic_class, client_tool,
    failure_reason, status_code, request_date
