{#- Whether a value fits one of the blocklist, in which a percent sign stands for anything and an underscore for itself. -#}
{% macro fits(value, pattern) -%}
    {{ value }} like replace({{ pattern }}, '_', '!_') escape '!'
{%- endmacro %}
