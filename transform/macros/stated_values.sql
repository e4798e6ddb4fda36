{#-
    What records say of a person, part by part; what belongs to one part, such as an address, comes from one record together.
-#}

{#- How something came to be known, a number each; what attributes say comes after these. -#}
{% macro manners() -%}
    {%- for kind, rule, is_vouched in [
        ('explicit', 'as recorded', false), ('explicit', 'as recorded', true),
        ('derived', 'decoded from the tax code', true), ('implicit', 'seen in use', false),
    ] %}
    select {{ loop.index }} as manner, '{{ kind }}' as kind, '{{ rule }}' as rule, {{ is_vouched }} as is_vouched
    {{- ' union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- What of a record goes along with each of its candidates. -#}
{% macro voice_columns(records) -%}
    {%- for column in ['customer_no', 'record_no', 'source', 'observed_on', 'recency'] -%}
    {{ records }}.{{ column }}{{ ', ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- A candidate for one part: its record, and its value with what speaks for it. -#}
{% macro voice(part, value, manner, completeness='1') -%}
    select
        {{ voice_columns('persons') }},
        '{{ part }}' as part,
        {{ value }} as value,
        {{ manner }} as manner,
        1 as place,
        {{ completeness }} as completeness
    from persons
    where {{ value }} is not null
{%- endmacro %}

{#- The parts that every person record may speak of, one row a record and candidate, from `persons`. -#}
{% macro spoken_parts() -%}
    {{ voice('name', 'name', 1, 'name_completeness') }}
    union all
    {{ voice('address', 'address', 1, 'address_completeness') }}
    {%- for part in ['birth_date', 'sex', 'tax_code', 'language'] %}
    union all
    {{ voice(part, part, 2 if part == 'tax_code' else 1) }}
    {%- endfor %}
    {%- for part in ['birth_date', 'sex'] %}
    union all
    {{ voice(part, 'tax_code_' ~ part, 3) }}
    {%- endfor %}
{%- endmacro %}

{#- The parts of a golden record that need no source to name them, a row each. -#}
{% macro part_rows() -%}
    {%- for part in 'name,address,birth_date,sex,tax_code,language,email,phone'.split(',') %}
    select '{{ part }}' as part{{ ' union all' if not loop.last }}
    {%- endfor %}
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
