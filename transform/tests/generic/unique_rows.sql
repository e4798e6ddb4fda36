{#- Together the columns never repeat; each of them may be null, which counts as a value. -#}
{% test unique_rows(model, columns) %}
    select
        {{ columns | join(', ') }},
        count(*) as rows
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{% endtest %}
