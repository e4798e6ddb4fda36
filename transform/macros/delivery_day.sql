{#- The day in the name of the file that a row came with; null when the name bears none. -#}
{% macro delivery_day() -%}
    {{ moment("try_strptime(left(delivery, 8), '%Y%m%d')") }}
{%- endmacro %}
