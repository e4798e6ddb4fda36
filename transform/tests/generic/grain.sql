{#- The grain that a model's description ends with: together the columns are never null and never repeat. -#}
{% test grain(model, columns) %}
    select
        {{ columns | join(', ') }},
        count(*) as rows
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1 {% for column in columns %} or {{ column }} is null {% endfor %}
{% endtest %}
