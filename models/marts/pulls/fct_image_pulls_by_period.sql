{{ config(materialized='view') }}
{%- set date = 'client_days.pull_date' %}
{#- Monday comes first: the engines' own weeks differ. #}
{%- set weekday = 'mod(' ~ dbt.datediff(date_literal('1969-12-29'), date, 'day') ~ ', 7)' %}
{%- set starts = {
    'day': date,
    'week': 'cast(' ~ dbt.dateadd('day', '-' ~ weekday, date) ~ ' as date)',
    'month': 'cast(' ~ dbt.date_trunc('month', date) ~ ' as date)',
    'all': 'cast(null as date)',
} %}
{%- for days in [7, 30, 90] %}
{%- set first = dbt.dateadd('day', 1 - days, 'newest.newest_date') %}
{%- do starts.update({'last_' ~ days ~ '_days': 'cast(' ~ first ~ ' as date)'}) %}
{%- endfor %}
with

client_days as (

    select
        registry_host,
        project_id,
        image,
        traffic_class,
        client_tool,
        {{ fingerprint(['client_id']) }} as client,
        {{ count_if('is_complete') }} as pulls,
        {{ count_if('not is_complete') }} as incomplete_pulls,
        {{ sum_of('served_bytes') }} as served_bytes,
        pull_date
    from {{ ref('fct_image_pulls') }}
    group by registry_host, project_id, image, traffic_class, client_tool, client, pull_date

),

newest as (

    select max(pull_date) as newest_date from client_days

),

periods as (

    {%- for period, start in starts.items() %}
    select
        client_days.*,
        '{{ period }}' as period,
        {{ start }} as period_start
    from client_days
    cross join newest
    {{ 'where ' ~ date ~ ' >= ' ~ start if period.startswith('last') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    period,
    case
        when grouping(image) = 0 then 'image'
        when grouping(project_id) = 0 then 'project'
        when grouping(registry_host) = 0 then 'host'
        else 'all'
    end as image_level,
    registry_host,
    project_id,
    image,
    case
        when grouping(client_tool) = 0 then 'tool'
        when grouping(traffic_class) = 0 then 'class'
        else 'all'
    end as client_level,
    traffic_class,
    client_tool,
    {{ sum_of('pulls') }} as pulls,
    {{ sum_of("case when traffic_class = 'end_user' then pulls else 0 end") }} as end_user_pulls,
    {{ sum_of('incomplete_pulls') }} as incomplete_pulls,
    count(distinct client) as clients,
    count(distinct case when traffic_class = 'end_user' then client end) as end_user_clients,
    {{ sum_of('served_bytes') }} as served_bytes,
    period_start
from periods
group by grouping sets ( -- noqa: PRS
    {%- set key = 'period, period_start' %}
    {%- for image_level in ['', ', registry_host', ', registry_host, project_id', ', registry_host, project_id, image'] %}
    {%- for client_level in ['', ', traffic_class', ', traffic_class, client_tool'] %}
    ({{ key ~ image_level ~ client_level }}){{ ',' if not (loop.last and image_level.endswith('image')) }}
    {%- endfor %}
    {%- endfor %}
)
