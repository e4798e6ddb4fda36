{#- Tax codes whose two digits of the year may mean this century or the last. -#}
{% macro codes_of_either_century() -%}
    select
        raw,
        canonical,
        late_birth_date,
        early_birth_date
    from {{ ref('tax_code_values') }}
    where canonical is not null and early_birth_date is not null and late_birth_date <= {{ today() }}
{%- endmacro %}

{#- The day that such a code means, beside what its record says and whether some record of the code is over a hundred. -#}
{% macro born_in_either_century(told, codes, centenarian) -%}
    case
        when {{ told }} = {{ codes }}.late_birth_date then {{ codes }}.late_birth_date
        when {{ centenarian }} is not null then {{ codes }}.early_birth_date
        else {{ codes }}.late_birth_date
    end
{%- endmacro %}

{#- A birth date, when it is nobody's placeholder and somebody alive may have it. -#}
{% macro birth_date_that_counts(told, placeholder) -%}
    case
        when {{ told }} < cast('1900-01-01' as date) or {{ told }} > {{ today() }} then null
        when {{ placeholder }} is null then {{ told }}
    end
{%- endmacro %}
