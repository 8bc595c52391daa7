{# Networks as client_network writes them: 192.0.2.0/24 and 2001:db8:22::/48. #}

{% macro ip_version(network) -%}
    case when {{ network }} like '%/24' then 4 else 6 end
{%- endmacro %}


{% macro block_number(network) -%}
    case
        when {{ network }} like '%/24'
            then {{ number_of_three_parts(network, '[0-9]{1,3}', '[.]', '', 256) }}
        else {{ number_of_three_parts(network, '[0-9a-f]{1,4}', ':', '0x', 65536) }}
    end
{%- endmacro %}


{% macro number_of_three_parts(text, part, separator, prefix, base) -%}
    {%- for place in range(3) %}
    {%- set pattern = '^' ~ (part ~ separator) * place ~ '(' ~ part ~ ')' ~ separator %}
    {{- '\n            + ' if not loop.first }}{{ base ** (2 - place) }} * cast(
                '{{ prefix }}' || {{ regexp_group(text, "'" ~ pattern ~ "'") }} as int64
            )
    {%- endfor %}
{%- endmacro %}
