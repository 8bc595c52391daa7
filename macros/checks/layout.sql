{# The releases with tables of another form than in the release before. An upgrade to them needs a full refresh. #}

{% macro layouts() %}
    {{ return(['0.1.0']) }}
{% endmacro %}


{# Without this check, dbt ends with "source and target schemas are out of sync", or mixes rows of two rules. #}

{% macro check_layout(built, releases=layouts()) %}
    {% if built and built < releases | length and not flags.FULL_REFRESH %}
        {% do exceptions.raise_compiler_error(
            'release ' ~ releases[built - 1] ~ ' has built these tables, and release ' ~ releases[-1]
            ~ ' builds them in another form. Run dbt build --full-refresh once; docs/upgrade.md shows '
            ~ 'how on Google Cloud.'
        ) %}
    {% elif built and built > releases | length %}
        {% do exceptions.raise_compiler_error(
            'a later release than ' ~ releases[-1] ~ ' has built these tables. Use that release, or '
            ~ 'roll back as docs/upgrade.md shows.'
        ) %}
    {% endif %}
{% endmacro %}
