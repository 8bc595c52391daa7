{% macro days_to_restate(parents=[], raw=none, before=0, after=0) %}
    {% set restated = {
        'read_at': utc_now(), 'is_full': true, 'days': [],
        'watermark': none, 'loaded_through': none
    } %}
    {% if not execute or should_full_refresh() or not is_incremental() %}
        {{ return(restated) }}
    {% endif %}
    {% set own = run_query(
        "select cast(max(read_at) as string), cast(max(loaded_through) as string) from "
        ~ build_log() ~ " where model_name = '" ~ this.identifier ~ "'"
    ).rows[0] %}
    {% if own[0] is none or (raw and own[1] is none) %}
        {{ return(restated) }}
    {% endif %}
    {% set by_hand = days_from_vars() %}
    {% if raw and by_hand %}
        {% do restated.update({'watermark': by_hand[0] ~ ' 00:00:00', 'days': by_hand}) %}
    {% elif raw %}
        {% set arrived %}
            select
                cast(event_date as string), cast(max(loaded_at) as string)
            from {{ raw }}
            where {{ arrived_after('loaded_at', timestamp_literal(own[1])) }}
            group by event_date
        {% endset %}
        {% set found = run_query(arrived).rows %}
        {% do restated.update({
            'watermark': own[1],
            'days': found | map(attribute=0) | list,
            'loaded_through': found | map(attribute=1) | max if found else none
        }) %}
    {% else %}
        {% set done %}
            select
                cast(restated_date as string), is_full
            from {{ build_log() }}
            where
                model_name in ('{{ parents | join("', '") }}')
                and recorded_at > {{ timestamp_literal(own[0]) }}
                and (is_full or restated_date is not null)
            group by restated_date, is_full
        {% endset %}
        {% set found = run_query(done).rows %}
        {% if found | selectattr(1) | list %}
            {{ return(restated) }}
        {% endif %}
        {% set days = found | map(attribute=0) | list + by_hand %}
        {% do restated.update({'days': with_adjacent_days(days, before, after)}) %}
    {% endif %}
    {% do restated.update({'is_full': false, 'days': restated.days | unique | sort | list}) %}
    {{ return(restated) }}
{% endmacro %}


{% macro days_from_vars() %}
    {% if not var('restate_from') %}
        {{ return([]) }}
    {% endif %}
    {% set first = modules.datetime.date.fromisoformat(var('restate_from') | string) %}
    {% set last = modules.datetime.date.fromisoformat(
        (var('restate_to') or var('restate_from')) | string
    ) %}
    {% if last < first %}
        {{ exceptions.raise_compiler_error('restate_to is before restate_from') }}
    {% endif %}
    {% set days = [] %}
    {% for offset in range((last - first).days + 1) %}
        {% do days.append((first + modules.datetime.timedelta(days=offset)).isoformat()) %}
    {% endfor %}
    {{ return(days) }}
{% endmacro %}


{% macro with_adjacent_days(days, before, after) %}
    {% set wider = [] %}
    {% for day in days %}
        {% for offset in range(-before, after + 1) %}
            {% do wider.append((
                modules.datetime.date.fromisoformat(day)
                + modules.datetime.timedelta(days=offset)
            ).isoformat()) %}
        {% endfor %}
    {% endfor %}
    {{ return(wider | unique | sort | list) }}
{% endmacro %}


{% macro restatement_comment(restated) -%}
    -- restates: {{ tojson(restated, sort_keys=true) }}
{%- endmacro %}


{% macro restatement_of(node) -%}
    {%- for line in (node.compiled_code or '').split('\n') if '-- restates: ' in line -%}
        {{ return(fromjson(line.split('-- restates: ')[1])) }}
    {%- endfor -%}
    {{ return({'read_at': utc_now(), 'is_full': true, 'days': [], 'loaded_through': none}) }}
{%- endmacro %}


{% macro is_restated(column, restated, before=0, after=0) -%}
    {%- if restated.is_full -%}
        true
    {%- elif not restated.days -%}
        false
    {%- else -%}
        {{ column }} in (
            {%- for day in with_adjacent_days(restated.days, before, after) -%}
                {{ date_literal(day) }}{{ ', ' if not loop.last }}
            {%- endfor -%}
        )
    {%- endif -%}
{%- endmacro %}


{% macro delete_restated_days(column) %}
    {%- set restated = restatement_of(model) -%}
    {%- if is_incremental() and (restated.is_full or restated.days) -%}
        delete from {{ this }} where {{ is_restated(column, restated) }}
    {%- endif -%}
{% endmacro %}


{% macro with_change_time(relation, key, facts, read_at) -%}
{%- set now = timestamp_literal(read_at) -%}
{%- set is_known = execute and not should_full_refresh() and load_cached_relation(this) -%}
    select
        {{ relation }}.*,
        {%- if is_known %}
        case
            when
                {%- for fact in facts %}
                {{ 'and ' if not loop.first }}coalesce(cast(before.{{ fact }} as string), '')
                = coalesce(cast({{ relation }}.{{ fact }} as string), '')
                {%- endfor %}
                then before.changed_at
            else {{ now }}
        end as changed_at
    from {{ relation }}
    left join {{ this }} as before
        on
            {%- for column in key %}
            {{ 'and ' if not loop.first }}{{ relation }}.{{ column }} = before.{{ column }}
            {%- endfor %}
        {%- else %}
        {{ now }} as changed_at
    from {{ relation }}
        {%- endif %}
{%- endmacro %}
