{# The variables of dbt_project.yml, by the kind of their values. #}

{% macro variables() %}
    {{ return({
        'a date, such as 2024-05-29': ['restate_from', 'restate_to'],
        'a whole number': [
            'audit_sink_max_lag_days',
            'pull_session_gap_seconds',
            'push_session_gap_seconds',
            'max_session_hours',
            'config_max_bytes',
            'config_least_bytes',
            'config_min_bytes',
            'config_usual_bytes',
            'burst_gap_seconds',
            'max_ambiguous_percent',
            'index_read_seconds',
            'max_names_a_day',
            'test_lookback_days',
            'keep_days',
            'max_restated_days',
            'build_lock_minutes',
            'report_images',
            'report_rows',
            'report_tags',
            'report_days',
            'report_months',
        ],
        'true or false': [
            'allow_parallel_builds',
            'audit_log_has_blobs',
            'readable_service_accounts',
            'rebuild_requests',
            'price_egress',
            'using_bucket_logs',
            'using_audit_logs',
        ],
        'a list': ['self_hosted_registries', 'mart_readers'],
        'text, in quotes': [
            'raw_database',
            'raw_schema',
            'usage_table',
            'storage_table',
            'audit_table',
            'audit_sink_dataset',
            'build_id',
        ],
    }) }}
{% endmacro %}


{# dbt silently ignores a variable that nothing reads, such as a misspelled one. A project that installs
   pullstats has variables of its own, so only names that are nearly those of pullstats cause a warning. #}

{% macro check_variables() %}
    {% if not execute or '.pullstats.' not in selected_resources | join(' ') %}
        {{ return('') }}
    {% endif %}
    {% set kinds = variables() %}
    {% set known = kinds.values() | sum(start=[]) | sort %}
    {% for name in invocation_args_dict.vars or {} if name not in known %}
        {% set close = [] %}
        {% for other in known if likeness(name, other) > 0.6 %}
            {% do close.append(other) %}
        {% endfor %}
        {% set unknown = 'pullstats has no variable ' ~ name ~ '. '
            ~ ('Did you mean ' ~ close | join(' or ') ~ '?' if close
                else 'dbt_project.yml lists its variables.') %}
        {% if project_name == 'pullstats' %}
            {% do exceptions.raise_compiler_error(unknown) %}
        {% elif close %}
            {% do exceptions.warn(unknown) %}
        {% endif %}
    {% endfor %}
    {% for kind, names in kinds.items() %}
        {% for name in names if var(name, none) is not none and not is_of_kind(var(name), kind) %}
            {% do exceptions.raise_compiler_error(
                'the variable ' ~ name ~ ' is ' ~ var(name) ~ ', but must be ' ~ kind
            ) %}
        {% endfor %}
    {% endfor %}
    {% if var('restate_to') and not var('restate_from') %}
        {% do exceptions.raise_compiler_error('the variable restate_to needs restate_from') %}
    {% elif var('restate_to') and var('restate_to') | string < var('restate_from') | string %}
        {% do exceptions.raise_compiler_error('restate_to is before restate_from') %}
    {% endif %}
{% endmacro %}


{% macro is_of_kind(value, kind) %}
    {% if kind == 'a whole number' %}
        {{ return(value is integer and value is not boolean) }}
    {% elif kind == 'true or false' %}
        {{ return(value is boolean) }}
    {% elif kind == 'text, in quotes' %}
        {{ return(value is string) }}
    {% elif kind == 'a list' %}
        {{ return(value is sequence and value is not string) }}
    {% endif %}
    {{ return(is_date(value | string)) }}
{% endmacro %}


{% macro is_date(text) %}
    {% if not modules.re.fullmatch('[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])', text) %}
        {{ return(false) }}
    {% endif %}
    {% set first = modules.datetime.date.fromisoformat(text[:8] ~ '01') %}
    {% set day = first + modules.datetime.timedelta(days=text[8:] | int - 1) %}
    {{ return(day.month == first.month) }}
{% endmacro %}


{# The share of pairs of adjacent letters that two names have in common. #}

{% macro likeness(one, other) %}
    {% set pairs = [] %}
    {% for name in [one, other] %}
        {% set of_name = [] %}
        {% for place in range(name | length - 1) %}
            {% do of_name.append(name[place:place + 2] | lower) %}
        {% endfor %}
        {% do pairs.append(of_name | unique | list) %}
    {% endfor %}
    {% set common = pairs[0] | select('in', pairs[1]) | list | length %}
    {{ return(2 * common / ([pairs | sum(start=[]) | length, 1] | max)) }}
{% endmacro %}
