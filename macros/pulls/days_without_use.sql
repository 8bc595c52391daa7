{% macro days_without_use(uses) -%}
    {%- set since = ['projects.logged_since'] -%}
    {%- for use in uses -%}
        {%- do since.append('coalesce(cast(' ~ use ~ ' as date), projects.logged_since)') -%}
    {%- endfor -%}
    {{ dbt.datediff(
        'least(greatest(' ~ since | join(', ') ~ '), projects.logged_through)', 'projects.logged_through', 'day'
    ) }}
{%- endmacro %}
