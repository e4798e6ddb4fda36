{#- The same day some years later. -#}
{% macro years_after(day, years) -%}{{ adapter.dispatch('years_after')(day, years) }}{%- endmacro %}
{% macro default__years_after(day, years) -%}add_months({{ day }}, 12 * {{ years }}){%- endmacro %}
{% macro duckdb__years_after(day, years) -%}cast({{ day }} + to_years(cast({{ years }} as int)) as date){%- endmacro %}
