{#-
    How much two records agree, in the levels that the seed `identity_rules` asks for. The records stand side by side as
    left_* and right_* columns. Given names and dates are judged by the functions that also judge whole clusters.
-#}

{#-
    0 the given names contradict, 1 not known, 2 like given names, 3 like whole names, 4 the same name.
    Given names are compared last, and where neither the surnames are alike nor `is_loose` asks for less, not at all.
-#}
{% macro name_level() -%}
    case
        when left_first = right_first and left_last = right_last then 4
        when
            {{ like_family('left_last', 'right_last') }}
            or ({{ like_family('left_last', 'right_first') }} and {{ like_family('left_first', 'right_last') }})
            then case {{ given_names_agree() }} when true then 3 when false then 0 else 1 end
        when is_loose then case {{ given_names_agree() }} when true then 2 when false then 0 else 1 end
        else 0
    end
{%- endmacro %}

{% macro given_names_agree() -%}
    names_agree(left_first || '|' || left_last, right_first || '|' || right_last)
{%- endmacro %}

{#- Nearly a person: two letters of each half, in any order, so that the spellings of one name count once. -#}
{% macro initials(first, last) -%}
    least(left({{ first }}, 2), left({{ last }}, 2)) || greatest(left({{ first }}, 2), left({{ last }}, 2))
{%- endmacro %}

{#- De Luca and Deluca; Rossi and Rossi Bianchi; one slip in a word of four letters or more. -#}
{% macro like_family(left, right) -%}
    (
        replace({{ left }}, ' ', '') = replace({{ right }}, ' ', '')
        or ' ' || {{ left }} || ' ' like '% ' || {{ right }} || ' %'
        or ' ' || {{ right }} || ' ' like '% ' || {{ left }} || ' %'
        or (
            length({{ left }}) >= 4 and length({{ right }}) >= 4
            and abs(length({{ left }}) - length({{ right }})) <= 1
            and {{ slips(left, right) }} = 1
        )
    )
{%- endmacro %}

{#- Slips of the keyboard between two texts: letters lost, doubled, replaced or swapped. -#}
{% macro slips(left, right) -%}{{ adapter.dispatch('slips')(left, right) }}{%- endmacro %}
{% macro default__slips(left, right) -%}levenshtein({{ left }}, {{ right }}){%- endmacro %}
{% macro duckdb__slips(left, right) -%}damerau_levenshtein({{ left }}, {{ right }}){%- endmacro %}

{#-
    0 they contradict, 1 not known, 2 day and month swapped or one digit wrong, 3 the same day, 4 the same day, and what
    both records state themselves, beside any tax code, is the same but for a slip.
-#}
{% macro birth_level() -%}
    case
        when
            left_birth = right_birth
            and (left_stated = right_stated or birth_dates_agree(left_stated::string, right_stated::string)) then 4
        when left_birth = right_birth then 3
        when left_birth is null or right_birth is null then 1
        when birth_dates_agree(left_birth::string, right_birth::string) then 2
        else 0
    end
{%- endmacro %}

{#- 0 two different codes, 1 not known, 2 the same person's code. -#}
{% macro tax_level() -%}
    case
        when left_tax_code is null or right_tax_code is null then 1
        when left_tax_code = right_tax_code then 2
        else 0
    end
{%- endmacro %}
