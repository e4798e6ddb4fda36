{#- Whether a comma text of purposes names one. -#}
{% macro permits(purposes, purpose) -%}
    ',' || replace({{ purposes }}, ' ', '') || ',' like '%,{{ purpose }},%'
{%- endmacro %}

{#- The purposes that a notice may allow, as a comma text. -#}
{% macro purposes() -%}
    service,email_marketing,sms_marketing,phone_marketing,profiling,ads_audiences
{%- endmacro %}

{#- The purposes that every row of a group allows, as a comma text: what rests on several sources serves what all allow. -#}
{% macro common_purposes(column) -%}
    concat_ws(
        ','
        {%- for purpose in purposes().split(',') %},
        case when bool_and({{ permits(column, purpose) }}) then '{{ purpose }}' end
        {%- endfor %}
    )
{%- endmacro %}
