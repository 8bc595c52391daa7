{% macro version_number(version) -%}
    coalesce(cast({{ regexp_group(version, "'^v?([0-9]+)'") }} as int64), 0) * 1000000
    + coalesce(cast({{ regexp_group(version, "'^v?[0-9]+[.]([0-9]+)'") }} as int64), 0) * 1000
    + coalesce(cast({{ regexp_group(version, "'^v?[0-9]+[.][0-9]+[.]([0-9]+)'") }} as int64), 0)
{%- endmacro %}
