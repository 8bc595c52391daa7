{% macro with_change_times(relation, key, compare_columns, former_columns={}) -%}
{%- set is_known = execute and not should_full_refresh() and load_cached_relation(this) -%}
    select
        {{ relation }}.*,
        {%- for former, column in former_columns.items() %}
        {%- if is_known %}
        case
            when
                coalesce(cast(previous.{{ column }} as string), '')
                = coalesce(cast({{ relation }}.{{ column }} as string), '')
                then previous.{{ former }}
            else previous.{{ column }}
        end as {{ former }},
        {%- else %}
        cast(null as string) as {{ former }},
        {%- endif %}
        {%- endfor %}
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


{# Days on which blobs were read that have changed since the last finished run. #}
{% macro add_days_of_changed_blobs(evidence) %}
    {% set since = last_finish() %}
    {% if not since %}
        {{ return('') }}
    {% endif %}
    {# a constant: without it the evidence of all time would be read #}
    {% set first_read_day = run_query(
        'select cast(cast(' ~ micros_to_timestamp('min(first_read_micros)') ~ ' as date) as string) from '
        ~ this ~ ' where greatest(changed_at, image_changed_at) > ' ~ since
    ).rows[0][0] %}
    {% if not first_read_day %}
        {{ return('') }}
    {% endif %}
    {% set changed %}
        select distinct cast(evidence.activity_date as string)
        from {{ this }} as blobs
        inner join {{ evidence }} as evidence
            on
                blobs.bucket_name = evidence.bucket_name
                and blobs.digest = evidence.digest
        where
            -- a session may have begun on the day before
            evidence.activity_date >= {{ date_literal(days_around([first_read_day], -1)[0]) }}
            and (
                blobs.changed_at > {{ since }}
                -- a request that names its image does not need the blob's
                or (blobs.image_changed_at > {{ since }} and evidence.image is null)
            )
    {% endset %}
    {% do add_changed_days('blobs', run_query(changed).columns[0].values()) %}
{% endmacro %}


{# Days on which manifests were fetched whose config has become known, or another one, since then. #}
{% macro add_days_of_changed_manifests(fetches) %}
    {% set since = last_finish() %}
    {% if not since %}
        {{ return('') }}
    {% endif %}
    {% set first_vote_day = run_query(
        'select cast(min(first_vote_date) as string) from ' ~ this ~ ' where changed_at > ' ~ since
    ).rows[0][0] %}
    {% if not first_vote_day %}
        {{ return('') }}
    {% endif %}
    {% set changed %}
        select distinct cast(fetches.session_date as string)
        from {{ this }} as manifests
        inner join {{ fetches }} as fetches on manifests.manifest_digest = fetches.manifest_digest
        where
            fetches.session_date >= {{ date_literal(days_around([first_vote_day], -1)[0]) }}
            and manifests.changed_at > {{ since }}
    {% endset %}
    {% do add_changed_days('manifests', run_query(changed).columns[0].values()) %}
{% endmacro %}


{% macro last_finish() %}
    {% if not is_restating() or should_full_refresh() or reads_a_part() %}
        {{ return(none) }}
    {% endif %}
    {{ return('(select max(finished_at) from ' ~ build_days() ~ ')') }}
{% endmacro %}


{# The newest days first, max_restated_days at most. #}
{% macro add_changed_days(kind, changed_days) %}
    {% set days = changed_days | sort(reverse=true) %}
    {% set left_out = days[var('max_restated_days'):] %}
    {% if left_out %}
        {% do exceptions.warn(
            this.identifier ~ ': what is known of some ' ~ kind ~ ' has changed, which concerns '
            ~ days | length ~ ' days. max_restated_days is ' ~ var('max_restated_days') ~ ': '
            ~ left_out | length ~ ' days from ' ~ left_out[-1] ~ ' to ' ~ left_out[0]
            ~ ' are not restated. To restate them: dbt build --vars '
            ~ "'{restate_from: " ~ left_out[-1] ~ ', restate_to: ' ~ left_out[0] ~ "}'"
        ) %}
    {% endif %}
    {% if days %}
        {% set rows = [] %}
        {% for day in days[:var('max_restated_days')] %}
            {% do rows.append(
                "('" ~ run_id() ~ "', '" ~ kind ~ "', " ~ date_literal(day) ~ ", timestamp '1970-01-01', "
                ~ run_started() ~ ')'
            ) %}
        {% endfor %}
        {% do run_query(
            'insert into ' ~ build_days() ~ ' (run_id, log_source, restated_date, loaded_after,'
            ~ ' started_at) values ' ~ rows | join(', ')
        ) %}
        {% do publish_days() %}
    {% endif %}
{% endmacro %}
