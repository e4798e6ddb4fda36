{#-
    How much two records agree, in the levels that the seed `identity_rules` asks for. The records stand side by side as
    left_* and right_* columns. Given names and dates are judged as the functions do that also judge whole clusters.
-#}

{#- 0 the given names contradict, 1 not known, 2 like given names, 3 like whole names, 4 the same name. -#}
{% macro name_level() -%}
    case
        when left_first = right_first and left_last = right_last then 4
        when {{ like_families() }}
            then case {{ given_names_agree() }} when true then 3 when false then 0 else 1 end
        else case {{ given_names_agree() }} when true then 2 when false then 0 else 1 end
    end
{%- endmacro %}

{#- Family names that are alike, or halves that are turned. -#}
{% macro like_families() -%}
    (
        {{ like_family('left_last', 'right_last') }}
        or ({{ like_family('left_last', 'right_first') }} and {{ like_family('left_first', 'right_last') }})
    )
{%- endmacro %}

{#- The same given name needs no closer look. -#}
{% macro given_names_agree() -%}
    (left_first = right_first or names_agree(left_first || '|' || left_last, right_first || '|' || right_last))
{%- endmacro %}

{#- Nearly a person: two letters of each half, in any order, so that the spellings of one name count once. -#}
{% macro initials(first, last) -%}
    least(left({{ first }}, 2), left({{ last }}, 2)) || greatest(left({{ first }}, 2), left({{ last }}, 2))
{%- endmacro %}

{#- De Luca and Deluca; Rossi and Rossi Bianchi; one slip in a word of four letters or more. -#}
{% macro like_family(left, right) -%}
    (
        {{ left }} = {{ right }}
        or replace({{ left }}, ' ', '') = replace({{ right }}, ' ', '')
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
            and (left_stated = right_stated or {{ birthdays_agree('left_stated', 'right_stated') }}) then 4
        when left_birth = right_birth then 3
        when left_birth is null or right_birth is null then 1
        when {{ birthdays_agree('left_birth', 'right_birth') }} then 2
        else 0
    end
{%- endmacro %}

{#- What the function `birth_dates_agree` says of two dates; on DuckDB in its own words, for there are many pairs. -#}
{% macro birthdays_agree(left, right) -%}{{ adapter.dispatch('birthdays_agree')(left, right) }}{%- endmacro %}
{% macro default__birthdays_agree(left, right) -%}
    birth_dates_agree({{ left }}::string, {{ right }}::string)
{%- endmacro %}
{% macro duckdb__birthdays_agree(left, right) -%}
    case
        {%- for day in (left, right) %}
        when {{ day }} is null or {{ day }} < date '1900-01-01' or {{ day }} > current_date then null
        when {{ day }} in (date '1900-01-01', date '1901-01-01', date '1970-01-01', date '1911-11-11') then null
        {%- endfor %}
        else
            damerau_levenshtein(strftime({{ left }}, '%Y%m%d'), strftime({{ right }}, '%Y%m%d')) <= 1
            or (
                year({{ left }}) = year({{ right }})
                and month({{ left }}) = day({{ right }})
                and day({{ left }}) = month({{ right }})
            )
            or (
                abs(year({{ left }}) - year({{ right }})) = 100
                and month({{ left }}) = month({{ right }})
                and day({{ left }}) = day({{ right }})
            )
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

{#- Whether the three letters of a tax code from one place on are among those of a name; an X may be none of it. -#}
{% macro letters_found(code, place, first, last) -%}
    (
        {%- for letter in range(3) %}
        {{ 'and ' if letter }}concat({{ first }}, {{ last }}, 'x') like '%' || lower(substring({{ code }}, {{ place + letter }}, 1)) || '%'
        {%- endfor %}
    )
{%- endmacro %}
