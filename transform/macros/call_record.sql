{#- What a call record says beyond its columns, for the models of the contact centre. -#}

{#- The customer's number: who called, or who was called when an agent dialled out. -#}
{% macro caller() -%}
    case when dcontext like '%out%' then dst else src end
{%- endmacro %}

{#- A value in the user field, which holds `name=value` pairs between semicolons. -#}
{% macro user_field(name) -%}
    nullif(regexp_extract(userfield, '(^|;) *{{ name }}=([^;]*)', 2), '')
{%- endmacro %}
