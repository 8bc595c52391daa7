{% macro last_use_date(uses) -%}
    {%- set since = ['projects.logged_since'] -%}
    {%- for use in uses -%}
        {%- do since.append('coalesce(cast(' ~ use ~ ' as date), projects.logged_since)') -%}
    {%- endfor -%}
    least(greatest({{ since | join(', ') }}), projects.logged_through)
{%- endmacro %}
