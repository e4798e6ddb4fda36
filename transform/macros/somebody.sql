{#-
    Whether a record tells enough of one person to be compared with others: a whole name, or two of the three, half a
    name, a birth date and a home.
-#}
{% macro is_somebody() -%}
    (
        (first_key is not null and last_key is not null)
        or (coalesce(first_key, last_key) is not null)::int
        + (coalesce(tax_code_birth_date, birth_date) is not null)::int
        + (street_key is not null)::int >= 2
    )
{%- endmacro %}
