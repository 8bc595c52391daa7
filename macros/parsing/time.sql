{% macro valid_micros(micros, loaded_at) -%}
    case
        when
            {{ micros }} between 1262304000000000
            and {{ micros_of_timestamp(loaded_at) }} + 86400000000
            then {{ micros }}
        else 0
    end
{%- endmacro %}


{% macro valid_number(number, largest) -%}
    case when {{ number }} between 0 and {{ largest }} then {{ number }} end
{%- endmacro %}


{% macro ended_micros(started_micros, duration_micros) -%}
    {{ started_micros }}
    + least(greatest({{ duration_micros }}, 0), {{ var('max_session_hours') }} * 3600000000)
{%- endmacro %}
