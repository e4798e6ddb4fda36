{#- A number with its noun, for sentences: 1 purchase, 2 purchases. -#}
{% macro counted(number, noun) -%}
    {{ number }}::string || case when {{ number }} = 1 then ' {{ noun }}' else ' {{ noun }}s' end
{%- endmacro %}
