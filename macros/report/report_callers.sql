{#- A client has one program, so the page adds these rows up. In audit logs a client can have several
    classes, by principal: it counts in each. -#}
{% macro report_callers(column, ranked_by) -%}
    {%- set place = [
        'period', 'period_start', 'log_source', 'image_level', 'registry_host', 'project_id', 'image',
    ] | join(', ') -%}
with

counted as (

    select
        period,
        shown_source as log_source,
        {{ report_image_level() }} as image_level,
        registry_host,
        project_id,
        image,
        traffic_class,
        client_tool,
        {{ column }},
        {{ count_if('is_complete') }} as pulls,
        {{ count_if('not is_complete') }} as incomplete_pulls,
        count(distinct client_id) as clients,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(case when is_complete then started_at end) as last_pulled_at,
        period_start
    from {{ ref('rpt_pulls_in_periods') }}
    group by grouping sets ( -- noqa: PRS
        {{ report_grouping_sets([', traffic_class, client_tool, ' ~ column]) }}
    )

),

ranked as (

    select
        *,
        sum(pulls) over (partition by {{ place }}, {{ ranked_by | join(', ') }}) as caller_pulls
    from counted
    where
        image_level != 'image'
        or image in (select top.image from {{ ref('rpt_top_images') }} as top)

)

select
    period,
    log_source,
    image_level,
    registry_host,
    project_id,
    image,
    traffic_class,
    client_tool,
    {{ column }},
    pulls,
    incomplete_pulls,
    clients,
    served_bytes,
    last_pulled_at,
    period_start
from ranked
qualify dense_rank() over (
    partition by {{ place }}
    order by
        caller_pulls desc,
        {%- for column in ranked_by %}
        coalesce({{ column }}, '') asc
        {{- ',' if not loop.last }}
        {%- endfor %}
) <= {{ var('report_rows') }}
{%- endmacro %}
