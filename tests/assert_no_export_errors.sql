{{ config(severity='warn') }}
-- A BigQuery sink sets entries aside that don't fit the types of its table. No model counts them.
{% for table in audit_sink_tables('export_errors') -%}
select
    '{{ table.identifier }}' as table_name,
    count(*) as entry_count
from {{ table }}
having count(*) > 0
union all
{% endfor -%}
select
    table_name,
    entry_count
from (
    select
        cast(null as string) as table_name,
        cast(null as int64) as entry_count
) as no_table
where table_name is not null
