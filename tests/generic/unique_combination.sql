{#
    The columns together are a key: no two rows are equal in all of them, nulls counting as equal.
#}
{% test unique_combination(model, columns) %}
    select {{ columns | join(', ') }}
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{% endtest %}
