{# dbt would fill, compare and merge an empty table when there is nothing to restate. That takes most of
   a build with nothing new, and BigQuery bills 10 MiB for each table that is read. Where pullstats is
   installed as a package dbt's own materializations are used: only the root project may replace them. #}

{% materialization incremental, adapter='duckdb' %}
    {{ return(restate_or_skip(dbt.materialization_incremental_duckdb)) }}
{% endmaterialization %}


{% materialization incremental, adapter='bigquery' %}
    {{ return(restate_or_skip(dbt.materialization_incremental_bigquery)) }}
{% endmaterialization %}


{% macro restate_or_skip(materialize) %}
    {% set restated = graph.get('restatements', {}).get(model.unique_id) %}
    {% if not restated or restated.is_full or restated.days %}
        {{ return(materialize()) }}
    {% endif %}
    {% call noop_statement('main', 'NOTHING TO RESTATE') %}{% endcall %}
    {{ run_hooks(post_hooks) }}
    {% do apply_grants(this, config.get('grants'), should_revoke=true) %}
    {% do adapter.commit() %}
    {{ return({'relations': [this]}) }}
{% endmacro %}
