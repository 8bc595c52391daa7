{% macro valid_micros(micros) -%}
    case when {{ micros }} between 0 and 221845392000000000 then {{ micros }} else 0 end
{%- endmacro %}


{% macro ended_micros(started_micros, duration_micros) -%}
    {{ started_micros }}
    + least(greatest({{ duration_micros }}, 0), {{ var('max_session_hours') }} * 3600000000)
{%- endmacro %}


{% macro sortable_micros(micros) -%}
    lpad(cast({{ micros }} as string), 18, '0')
{%- endmacro %}


{% macro after_sortable_micros(text) -%}
    substr({{ text }}, 19)
{%- endmacro %}
