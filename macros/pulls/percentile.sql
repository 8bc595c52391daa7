{# Exact percentiles by nearest rank: the engines' own functions interpolate or estimate. #}

{% macro ranked_within(relation, key, measure) -%}
    select
        *,
        row_number() over (partition by {{ key | join(', ') }} order by {{ measure }}) as rank_in_group,
        count(*) over (partition by {{ key | join(', ') }}) as rows_in_group
    from {{ relation }}
{%- endmacro %}


{% macro percentile(measure, percent) -%}
    min(case when rank_in_group * 100 >= rows_in_group * {{ percent }} then {{ measure }} end)
{%- endmacro %}
