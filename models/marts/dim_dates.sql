-- Fixed ends: a log's odd dates can't stretch it. Container Registry began in 2015.
with

days as (

    {{ days_from_to(date_literal('2015-01-01'), date_literal('2044-12-31')) }}

)

select * from days
