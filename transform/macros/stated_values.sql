{#-
    What records say of a person, part by part; what belongs to one part, such as an address, comes from one record together.
-#}

{#- A candidate for one part: its record, and its value with what speaks for it. -#}
{% macro voice(part, value, persons, kind='explicit', rule='as recorded', is_vouched=false, completeness='1') -%}
    select
        record,
        '{{ part }}' as part,
        {{ value }}::string as value,
        '{{ kind }}' as kind,
        '{{ rule }}' as rule,
        {{ is_vouched }} as is_vouched,
        1 as place,
        {{ completeness }} as completeness
    from {{ persons }}
    where {{ value }} is not null
{%- endmacro %}

{#- The parts that every person record may speak of, one row a record and candidate. -#}
{% macro spoken_parts(persons) -%}
    {{ voice(
        'name', "concat_ws('|', first_key, last_key)", named(persons),
        completeness='case when first_key is null or last_key is null then 1 else 2 end'
    ) }}
    union all
    {{ voice(
        'address', "concat_ws('|', coalesce(street_key, street), postcode)", placed(persons),
        completeness="case when street is null then 0 else 1 end + case when postcode is null then 0 else 1 end"
    ) }}
    {%- for part in ['birth_date', 'sex', 'tax_code', 'language'] %}
    union all
    {{ voice(part, part, persons, is_vouched=(part == 'tax_code')) }}
    {%- endfor %}
    {%- for part in ['birth_date', 'sex'] %}
    union all
    {{ voice(
        part, 'tax_code_' ~ part, persons, kind='derived', rule='decoded from the tax code', is_vouched=true
    ) }}
    {%- endfor %}
{%- endmacro %}

{% macro named(persons) -%}
    (select * from {{ persons }} where coalesce(first_name, last_name) is not null) as named
{%- endmacro %}

{% macro placed(persons) -%}
    (select * from {{ persons }} where coalesce(street, postcode, city, province, region, country) is not null) as placed
{%- endmacro %}

{#-
    The attributes of names and addresses, one row a witness and attribute. `witnesses` has the records' own columns beside
    those of the witness; what the postcode says stands before what was written beside it.
-#}
{% macro part_values(witnesses) -%}
    {%- set turned = "case when is_swapped then 'as recorded, halves turned' else 'as recorded' end" -%}
    {%- for attribute in part_attributes().split(',') %}
    {%- set part = 'name' if '_name' in attribute else 'address' %}
    {{ part_value(witnesses, part, attribute, attribute, 'explicit', turned if part == 'name' else "'as recorded'",
        'rank_' ~ attribute) }}
    union all
    {%- endfor %}
    {%- for attribute in ['city', 'province', 'region'] %}
    {{ part_value(witnesses, 'address', attribute, 'postcode_' ~ attribute, 'derived', "'from the postcode'",
        'rank_' ~ attribute ~ ' - case when ' ~ attribute ~ ' is null then 0 else 1 end') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro part_attributes() -%}
    first_name,last_name,street,postcode,city,province,region,country
{%- endmacro %}

{% macro part_value(witnesses, part, attribute, value, kind, rule, rank) -%}
    select
        customer_id,
        '{{ attribute }}' as attribute,
        {{ value }} as value,
        record,
        '{{ kind }}' as kind,
        {{ rule }} as rule,
        {{ rank }} as rank,
        '{{ part }}' as part,
        witness,
        lost_to,
        behind
    from {{ witnesses }}
    where part = '{{ part }}' and {{ value }} is not null
{%- endmacro %}

{#- How many candidates for each attribute stand up to and with a witness: rank_first_name, rank_last_name … -#}
{% macro part_ranks() -%}
    {%- for attribute in part_attributes().split(',') %}
    count({{ attribute }}) over best_first
    {%- if attribute in ['city', 'province', 'region'] %} + count(postcode_{{ attribute }}) over best_first{% endif %}
    {#- #} as rank_{{ attribute }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The best of those golden attributes that do not come with a name or an address, a column each, within a group. -#}
{% macro best_lone_values(said) -%}
    {%- for attribute in golden_attributes().split(',') if attribute not in part_attributes().split(',') %}
    min_by({{ said }}.value, {{ said }}.witness) filter (where {{ said }}.part = '{{ attribute }}') as {{ attribute }}
    {{- ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The golden attributes, a column each, out of the best that stand alone and the records of the best name and address. -#}
{% macro golden_columns(best, names, homes) -%}
    {%- set parts = part_attributes().split(',') -%}
    {%- for attribute in golden_attributes().split(',') %}
    {%- if attribute in ['city', 'province', 'region'] %}
    coalesce({{ homes }}.postcode_{{ attribute }}, {{ homes }}.{{ attribute }}) as {{ attribute }}
    {%- else %}
    {{ best if attribute not in parts else names if '_name' in attribute else homes }}.{{ attribute }}
    {%- endif %}
    {{- ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
