-- Clouds and regions that pull, by period, image level and traffic class.
with

image_pulls as (

    select * from {{ ref('fct_image_pulls') }}

),

in_periods as (

    {{ report_rows_in_periods('image_pulls') }}

),

counted as (

    select
        period,
        shown_source as log_source,
        {{ report_image_level() }} as image_level,
        registry_host,
        project_id,
        image,
        traffic_class,
        client_cloud,
        client_cloud_region,
        {{ count_if('is_complete') }} as pulls,
        count(distinct client_id) as clients,
        {{ sum_of('served_bytes') }} as served_bytes,
        period_start
    from in_periods
    where period not like 'previous%'
    group by grouping sets ( -- noqa: PRS
        {{ report_grouping_sets([', traffic_class, client_cloud, client_cloud_region']) }}
    )

)

select * from counted
where image_level != 'image' or image in {{ report_images() }}
