{{ config(materialized='view') }}
{%- set of_image = ['registry_host', 'project_id', 'image'] %}
{%- set places = {'image': of_image, 'project': of_image[:2], 'host': of_image[:1], 'all': []} %}
{%- set of_tool = ['traffic_class', 'client_tool'] %}
{%- set callers = {'all': [], 'class': of_tool[:1], 'tool': of_tool} %}
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
{%- do starts.update({'last ' ~ days ~ ' days': 'cast(' ~ first ~ ' as date)'}) %}
{%- endfor %}
with

-- not from fct_image_pulls: in a file named like their schema DuckDB takes no view of its tables
client_days as (

    select
        registry_host,
        {{ image_project('registry_host', 'image_path') }} as project_id,
        registry_host || '/' || image_path as image,
        {{ of_tool | join(', ') }},
        {{ fingerprint(['client_id']) }} as client,
        {{ count_if('is_complete') }} as pulls,
        {{ count_if('not is_complete') }} as incomplete_pulls,
        {{ sum_of('served_bytes') }} as served_bytes,
        read_date as pull_date
    from {{ ref('int_image_reads') }}
    where read_kind = 'pull'
    group by {{ (of_image + of_tool) | join(', ') }}, client, pull_date

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

),

-- rows are clients here: one address with one user agent, which has one class and tool
{% for place, of_place in places.items() -%}
{%- set key = ['period', 'period_start'] + of_place + of_tool + ['client'] -%}
of_{{ place }} as (

    select
        {{ key | join(',\n        ') }},
        {{ sum_of('pulls') }} as pulls,
        {{ sum_of('incomplete_pulls') }} as incomplete_pulls,
        {{ sum_of('served_bytes') }} as served_bytes
    from {{ 'periods' if loop.first else 'of_' ~ loop.previtem[0] }}
    group by {{ key | join(', ') }}

){{ ',' if not loop.last }}
{% endfor %}
{% for place, of_place in places.items() %}
{%- for caller, of_caller in callers.items() %}
select
    period,
    '{{ place }}' as place,
    {%- for column in of_image %}
    {{ column if column in of_place else 'cast(null as string) as ' ~ column }},
    {%- endfor %}
    '{{ caller }}' as caller,
    {%- for column in of_tool %}
    {{ column if column in of_caller else 'cast(null as string) as ' ~ column }},
    {%- endfor %}
    {{ sum_of('pulls') }} as pulls,
    {{ sum_of("case when traffic_class = 'end_user' then pulls else 0 end") }} as end_user_pulls,
    {{ sum_of('incomplete_pulls') }} as incomplete_pulls,
    count(*) as clients,
    {{ count_if("traffic_class = 'end_user'") }} as end_user_clients,
    {{ sum_of('served_bytes') }} as served_bytes,
    period_start
from of_{{ place }}
group by {{ (['period', 'period_start'] + of_place + of_caller) | join(', ') }}
{{ 'union all' if not (loop.last and place == 'all') }}
{% endfor %}
{%- endfor %}
