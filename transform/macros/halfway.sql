{#- What a record without a whole name still says of its person; the parts of `halfway_contradicts`. -#}
{% macro halfway_marks() -%}
    tax_code_canonical as tax_code,
        coalesce(tax_code_birth_date, birth_date)::string as birth_date,
        coalesce(tax_code_sex, sex) as sex,
        case when coalesce(first_key, last_key) is not null then concat(first_key, '|', last_key) end as name
{%- endmacro %}

{#- Whether `lefts` and `rights` cannot be one person, as the built-in contradictions have it. -#}
{% macro halfway_contradicts() -%}
    case
            when lefts.tax_code is not null and rights.tax_code is not null then lefts.tax_code <> rights.tax_code
            else
                not coalesce(birth_dates_agree(lefts.birth_date, rights.birth_date), true)
                or not coalesce(names_agree(lefts.name, rights.name), true)
                or (
                    lefts.sex <> rights.sex
                    and not coalesce(names_share(lefts.name, rights.name), false)
                )
        end
{%- endmacro %}
