{#- The day that everything is reckoned from: var `today`, else SNELLO_TODAY, else the day of the run. -#}
{% macro today() -%}
    cast('{{ var("today", "") or env_var("SNELLO_TODAY", "") or run_started_at.strftime("%Y-%m-%d") }}' as date)
{%- endmacro %}
