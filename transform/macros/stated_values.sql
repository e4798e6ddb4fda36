{#-
    The attributes of a table of person records, one row a record and attribute.

    - `part`: attributes of one part, such as an address, must come from one record together
    - preference: what a check digit or the postal service vouches for (3), then what was said (2)
-#}
{% macro stated_values(persons) -%}
    {%- set stated = {
        'first_name': 'name', 'last_name': 'name', 'birth_date': 'birth_date', 'sex': 'sex', 'tax_code': 'tax_code',
        'street': 'address', 'postcode': 'address', 'city': 'address', 'province': 'address', 'region': 'address',
        'country': 'address', 'language': 'language',
    } -%}
    {%- set derived = [
        ('birth_date', 'birth_date', 'tax_code_birth_date', 'decoded from the tax code'),
        ('sex', 'sex', 'tax_code_sex', 'decoded from the tax code'),
        ('city', 'address', 'postcode_city', 'from the postcode'),
        ('province', 'address', 'postcode_province', 'from the postcode'),
        ('region', 'address', 'postcode_region', 'from the postcode'),
    ] -%}
    {%- set turned = "case when is_swapped then 'as recorded, halves turned' else 'as recorded' end" -%}
    {%- for attribute, part in stated.items() %}
    select
        record,
        '{{ attribute }}' as attribute,
        '{{ part }}' as part,
        {{ attribute }}::string as value,
        'explicit' as kind,
        {{ turned if part == 'name' else "'as recorded'" }} as rule,
        2 as preference
    from {{ persons }}
    union all
    {%- endfor %}
    {%- for attribute, part, column, rule in derived %}
    select
        record,
        '{{ attribute }}' as attribute,
        '{{ part }}' as part,
        {{ column }}::string as value,
        'derived' as kind,
        '{{ rule }}' as rule,
        3 as preference
    from {{ persons }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
