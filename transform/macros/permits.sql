{#- Whether a comma text of purposes names one. -#}
{% macro permits(purposes, purpose) -%}
    ',' || replace({{ purposes }}, ' ', '') || ',' like '%,{{ purpose }},%'
{%- endmacro %}

{#- Whether a comma text of purposes names the one that another column holds. -#}
{% macro permits_one(purposes, purpose) -%}
    ',' || replace({{ purposes }}, ' ', '') || ',' like '%,' || {{ purpose }} || ',%'
{%- endmacro %}

{#- The purposes that a notice may allow, as a comma text. -#}
{% macro purposes() -%}
    service,email_marketing,sms_marketing,phone_marketing,profiling,ads_audiences
{%- endmacro %}

{#- The purposes that a notice may allow, a row each. -#}
{% macro purpose_rows() -%}
    {%- for purpose in purposes().split(',') %}
    select '{{ purpose }}' as purpose{{ ' union all' if not loop.last }}
    {%- endfor %}
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

{#- Whether the second comma text of purposes has all that the first has. -#}
{% macro serves_all_of(needed, given) -%}
    {%- for purpose in purposes().split(',') %}
    (not {{ permits(needed, purpose) }} or {{ permits(given, purpose) }}){{ ' and' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The purposes that all of several comma texts allow. -#}
{% macro shared_purposes(columns) -%}
    concat_ws(
        ','
        {%- for purpose in purposes().split(',') %},
        case
            when
                {%- for column in columns %}
                {{ permits(column, purpose) }}{{ ' and' if not loop.last }}
                {%- endfor %}
                then '{{ purpose }}'
        end
        {%- endfor %}
    )
{%- endmacro %}

{#- The purposes that one comma text allows and another does not. -#}
{% macro purposes_beyond(given, other) -%}
    concat_ws(
        ','
        {%- for purpose in purposes().split(',') %},
        case when {{ permits(given, purpose) }} and not ({{ permits(other, purpose) }}) then '{{ purpose }}' end
        {%- endfor %}
    )
{%- endmacro %}

{% macro every_purpose() -%}
    '{{ purposes() | trim }}'
{%- endmacro %}
