{# The header of an incremental model is one of these calls: see docs/incremental.md. #}

{% macro restate_by_day(day, follows, before=0, after=0, cluster_by=none) %}
    {% do configure_by_day(day, cluster_by) %}
    {{ return(keep_restatement(days_to_restate(follows, before, after))) }}
{% endmacro %}


{% macro restate_by_month(month, follows, cluster_by=none) %}
    {% set restated = restate_by_day(month, follows, cluster_by=cluster_by) %}
    {% do restated.update({'days': first_days_of_months(restated.days)}) %}
    {{ return(restated) }}
{% endmacro %}


{% macro restate_by_arrival(day, raw, arrival='loaded_at', max_lag_days=none, cluster_by=none) %}
    {% do configure_by_day(day, cluster_by) %}
    {% do config(full_refresh=none if var('rebuild_requests') else false) %}
    {{ return(keep_restatement(arrivals_to_restate(day, raw, arrival, max_lag_days))) }}
{% endmacro %}


{% macro configure_by_day(day, cluster_by) %}
    {% do config(
        materialized='incremental',
        unique_key=day,
        cluster_by=cluster_by,
        post_hook='{{ record_build() }}',
        **replaced_days(day)
    ) %}
{% endmacro %}


{% macro update_by_key(key, follows) %}
    {% do config(
        materialized='incremental',
        unique_key=key,
        incremental_strategy=update_strategy(),
        post_hook='{{ record_build() }}',
    ) %}
    {{ return(keep_restatement(days_to_restate(follows))) }}
{% endmacro %}


{# dbt evaluates hooks and strategies apart from the model's SQL. Its `graph` is what they share. #}

{% macro keep_restatement(restated) %}
    {% do renew_build_lock() %}
    {% do graph.setdefault('restatements', {}).update({model.unique_id: restated}) %}
    {{ return(restated) }}
{% endmacro %}


{% macro restatement_of(node) %}
    {{ return(graph.restatements[node.unique_id]) }}
{% endmacro %}


{% macro is_restated(column, restated, before=0, after=0) -%}
    {%- if restated.is_full -%}
        true
    {%- elif not restated.days -%}
        false
    {%- else -%}
        {{ column }} in (
            {%- for day in with_adjacent_days(restated.days, before, after) -%}
                {{ date_literal(day) }}{{ ', ' if not loop.last }}
            {%- endfor -%}
        )
    {%- endif -%}
{%- endmacro %}


{% macro is_in_restated_month(column, restated) -%}
    {%- set days = days_of_months(restated.days) -%}
    {{ is_restated(column, {'is_full': restated.is_full, 'days': days}) }}
{%- endmacro %}


{% macro is_new_arrival(restated) -%}
    {{ is_restated(restated.day, restated) }}
    {%- if restated.watermark %}
    and {{ restated.arrival }} > {{ timestamp_literal(restated.watermark) }}
    {%- endif -%}
    {%- if restated.loaded_through %}
    and {{ restated.arrival }} <= {{ timestamp_literal(restated.loaded_through) }}
    {%- endif -%}
{%- endmacro %}


{% macro is_earlier_arrival(restated) -%}
    {{ is_restated(restated.day, restated) }}
    and {{ restated.arrival }} <= {{ timestamp_literal(restated.watermark) }}
{%- endmacro %}
