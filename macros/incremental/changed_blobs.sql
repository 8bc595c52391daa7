{% macro with_change_times(relation, key, compare_columns) -%}
{%- set is_known = execute and not should_full_refresh() and load_cached_relation(this) -%}
    select
        {{ relation }}.*,
        {%- for changed_at, columns in compare_columns.items() %}
        {%- if is_known %}
        case
            when
                {%- for column in columns %}
                {{ 'and ' if not loop.first }}coalesce(cast(previous.{{ column }} as string), '')
                = coalesce(cast({{ relation }}.{{ column }} as string), '')
                {%- endfor %}
                then previous.{{ changed_at }}
            else {{ warehouse_time() }}
        end as {{ changed_at }}{{ ',' if not loop.last }}
        {%- else %}
        {{ warehouse_time() }} as {{ changed_at }}{{ ',' if not loop.last }}
        {%- endif %}
        {%- endfor %}
    from {{ relation }}
    {%- if is_known %}
    left join {{ this }} as previous
        on
            {%- for column in key %}
            {{ 'and ' if not loop.first }}{{ relation }}.{{ column }} = previous.{{ column }}
            {%- endfor %}
    {%- endif %}
{%- endmacro %}


{% macro record_changed_blobs(evidence) %}
    {%- if not execute -%}
        {{ return('') }}
    {%- endif -%}
    {%- set seen %}
        select cast(max(read_at) as string) from {{ build_log() }}
        where model_name = '{{ this.identifier }}'
    {% endset -%}
    {%- set seen_at = run_query(seen).rows[0][0] -%}
    {%- set is_full = should_full_refresh() or seen_at is none -%}
    {%- set days, first_day = [], none -%}
    {%- if not is_full -%}
        {#- a constant: without it the evidence of all time would be read -#}
        {%- set first_read %}
            select cast(cast({{ micros_to_timestamp('min(first_read_micros)') }} as date) as string)
            from {{ this }}
            where greatest(changed_at, image_changed_at) > {{ timestamp_literal(seen_at) }}
        {% endset -%}
        {%- set first_day = run_query(first_read).rows[0][0] -%}
    {%- endif -%}
    {%- if first_day -%}
        {#- a session may have begun on the day before -#}
        {%- set first_day = with_adjacent_days([first_day], before=1)[0] -%}
        {%- set changed %}
            select distinct cast(evidence.activity_date as string)
            from {{ this }} as blobs
            inner join {{ evidence }} as evidence
                on
                    blobs.bucket_name = evidence.bucket_name
                    and blobs.digest = evidence.digest
            where
                evidence.activity_date >= {{ date_literal(first_day) }}
                and (
                    blobs.changed_at > {{ timestamp_literal(seen_at) }}
                    -- a request that names its image does not need the blob's
                    or (
                        blobs.image_changed_at > {{ timestamp_literal(seen_at) }}
                        and evidence.image is null
                    )
                )
        {% endset -%}
        {%- set days = run_query(changed).columns[0].values() | sort -%}
        {%- set first = [0, days | length - var('max_restated_days')] | max -%}
        {%- set left_out = days[:first] -%}
        {%- if left_out -%}
            {%- do exceptions.warn(
                this.identifier ~ ': what is known of some blobs has changed, which concerns '
                ~ days | length ~ ' days. max_restated_days is ' ~ var('max_restated_days')
                ~ ': ' ~ left_out | length ~ ' days from ' ~ left_out[0] ~ ' to '
                ~ left_out[-1] ~ ' are not restated. To restate them: dbt build --vars '
                ~ "'{restate_from: " ~ left_out[0] ~ ', restate_to: ' ~ left_out[-1] ~ "}'"
            ) -%}
        {%- endif -%}
        {%- set days = days[first:] -%}
    {%- endif -%}
    {{ build_log_entries(
        days, is_full, '(select max(greatest(changed_at, image_changed_at)) from ' ~ this ~ ')'
    ) }}
{% endmacro %}
