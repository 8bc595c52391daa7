{% macro manifest_fetch_kind(request, session, blobs, tool) -%}
    case
        when
            {{ request }}.operation = 'head'
            and ({{ session }}.gets > 0 or {{ session }}.blob_reads = 0)
            then
                case
                    when {{ request }}.is_tag_written or {{ request }}.is_digest_written then 'push'
                    when
                        {{ request }}.tag is null
                        and {{ session }}.last_written_micros > {{ request }}.started_micros
                        then 'push'
                    else 'check'
                end
        when 'scanner' in ({{ request }}.traffic_class, {{ request }}.client_class) then 'scan'
        when {{ tool }}.fetch_kind is not null then {{ tool }}.fetch_kind
        when {{ regexp_like(request ~ '.tag', "'^sha256-[0-9a-f]{64}'") }} then 'artifact'
        when {{ tool }}.reads_cache = 'true' and {{ request }}.is_tag_written then 'cache'
        {%- if var('audit_log_has_blobs') %}
        when {{ blobs }}.blob_count is null then 'inspection'
        when {{ blobs }}.blob_count = 1 then coalesce({{ tool }}.config_only_read, 'inspection')
        {%- else %}
        when {{ session }}.tag_lists > 0 or {{ request }}.is_digest_written then 'inspection'
        when {{ request }}.is_known_index and {{ request }}.child_count is null then 'inspection'
        {%- endif %}
        else 'pull'
    end
{%- endmacro %}


{# Each client of an address reads each blob once: the reads of a blob count the clients. #}
{% macro clients_of_session(request, blobs, tool) -%}
    {%- if var('audit_log_has_blobs') -%}
    case
        when {{ blobs }}.blob_count = 1 then 1
        when {{ tool }}.keeps_layers = 'true' then {{ blobs }}.most_reads
        else {{ blobs }}.fewest_reads
    end
    {%- else -%}
    {{ request }}.attempts
    {%- endif -%}
{%- endmacro %}


{# An index is known by the children that some client read after it, on the day or one beside it. #}
{% macro is_known_index(request, reads) -%}
    exists (
        select 1
        from {{ reads }} as child_reads
        where
            child_reads.is_child
            and child_reads.image = {{ request }}.image
            and child_reads.root_digest = {{ request }}.digest
            and child_reads.session_date between
            {{ dbt.dateadd('day', -1, request ~ '.session_date') }}
            and {{ dbt.dateadd('day', 1, request ~ '.session_date') }}
    )
{%- endmacro %}
