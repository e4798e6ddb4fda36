{#- adult, child or unknown, by the day that everything is reckoned from. -#}
{% macro age_group(birth_date) -%}
    case
        when {{ birth_date }} is null then 'unknown'
        when {{ eighteenth(birth_date) }} <= {{ today() }} then 'adult'
        else 'child'
    end
{%- endmacro %}

{#- The day on which somebody comes of age. -#}
{% macro eighteenth(birth_date) -%}{{ adapter.dispatch('eighteenth')(birth_date) }}{%- endmacro %}
{% macro default__eighteenth(birth_date) -%}add_months({{ birth_date }}, 216){%- endmacro %}
{% macro duckdb__eighteenth(birth_date) -%}({{ birth_date }} + interval 18 year)::date{%- endmacro %}
