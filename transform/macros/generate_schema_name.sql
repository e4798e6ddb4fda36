{#- A folder's schema under its own name: staging, canonical, identity, marts, segments, activation, measure, seeds. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
