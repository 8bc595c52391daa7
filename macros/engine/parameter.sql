{% macro parameter(name) -%}
    {%- if not execute -%}
        {{ return('null') }}
    {%- endif -%}
    {%- set declared = model.config.meta.parameters[name] -%}
    {%- if env_var('PULLSTATS_BIND_PARAMETERS', '') -%}
        {{ return('cast(' ~ bound_parameter(name) ~ ' as ' ~ declared.type ~ ')') }}
    {%- endif -%}
    {%- set value = var(name, declared.default) -%}
    {%- if value is none -%}
        {{ return('cast(null as ' ~ declared.type ~ ')') }}
    {%- endif -%}
    {%- if declared.type == 'string' and value is not string -%}
        {{ exceptions.raise_compiler_error(
            'the variable ' ~ name ~ ' is text: write it in quotes, as ' ~ name ~ ': "' ~ value ~ '"'
        ) }}
    {%- elif declared.type == 'int64' and value is not integer -%}
        {{ exceptions.raise_compiler_error(
            'the variable ' ~ name ~ ' is a whole number, not ' ~ value
        ) }}
    {%- endif -%}
    {{ return(
        dbt.string_literal(dbt.escape_single_quotes(value)) if declared.type == 'string' else value
    ) }}
{%- endmacro %}


{% macro bound_parameter(name) -%}
    {{ return(adapter.dispatch('bound_parameter', 'pullstats')(name)) }}
{%- endmacro %}


{% macro duckdb__bound_parameter(name) -%}
    {{ return('$' ~ name) }}
{%- endmacro %}


{% macro bigquery__bound_parameter(name) -%}
    {{ return('@' ~ name) }}
{%- endmacro %}
