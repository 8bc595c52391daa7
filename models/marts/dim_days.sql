with

-- a record without a time stands on 1970-01-01 and must not make a row of each day since
traffic as (

    select
        min(traffic_date) as first_date,
        max(traffic_date) as last_date
    from {{ ref('fct_traffic_daily') }}
    where traffic_date > date '1970-01-01'

),

days as (

    {{ days_from_to(
        '(select traffic.first_date from traffic)', '(select traffic.last_date from traffic)'
    ) }}

)

select * from days
