{#-
    Which candidate for a golden value wins: the criteria that the seed `survivorship` puts in order, part by part.

    A candidate's score is one whole number: each criterion of its policy takes as many binary places as `widths` says, the
    first criterion the highest. So candidates are compared in one step, and the highest place in which two scores differ
    tells which criterion decided.
-#}

{#- What may decide, in the words of the seed, with the binary places that each takes. -#}
{% macro widths() -%}
    validity=1,kind=2,place=4,completeness=2,trust=7,agreement=6,recency=34
{%- endmacro %}

{#- The columns of a policy that say from which binary place each of its criteria stands: shift_validity, shift_kind … -#}
{% macro shifts(criteria) -%}
    {%- for named in widths().split(',') %}
    {%- set name = named.split('=')[0] %}
    case when {{ turn_of(name, criteria) }} > 0 then
        0
        {%- for other in widths().split(',') %}
        + case
            when {{ turn_of(other.split('=')[0], criteria) }} > {{ turn_of(name, criteria) }}
                then {{ other.split('=')[1] }}
            else 0
        end
        {%- endfor %}
    end as shift_{{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- Those columns, of the table named. -#}
{% macro shift_columns(policies) -%}
    {%- for named in widths().split(',') -%}
    {{ policies }}.shift_{{ named.split('=')[0] }}{{ ', ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro turn_of(name, criteria) -%}
    instr(',' || replace({{ criteria }}, ' ', '') || ',', ',{{ name }},')
{%- endmacro %}

{#- The score of a candidate, as far as these criteria give it; higher is better. -#}
{% macro score(criteria) -%}
    {%- set numbers = {
        'validity': 'case when is_vouched then 1 else 0 end',
        'kind': "case kind when 'explicit' then 3 when 'derived' then 2 else 1 end",
        'place': 'greatest(0, 15 - place)',
        'completeness': 'least(3, completeness)',
        'trust': 'greatest(0, least(127, trust))',
        'agreement': 'least(63, agreement)',
        'recency': 'coalesce(greatest(-8589934591, least(8589934591, recency)) + 8589934592, 0)',
    } -%}
    {%- for name in criteria %}
    coalesce(({{ numbers[name] }})::bigint << shift_{{ name }}, 0){{ ' +' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- What may decide but for one criterion. -#}
{% macro criteria_but(one) -%}
    {%- set names = [] -%}
    {%- for named in widths().split(',') if named.split('=')[0] != one -%}
        {%- do names.append(named.split('=')[0]) -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}

{#- What a candidate that is not too old has on top of its score. -#}
{% macro fresh() -%}(1::bigint << 62){%- endmacro %}

{#- The first criterion in which two scores of one policy differ; when in none, it was the name of the record. -#}
{% macro first_difference(one, other) -%}
    case
        {%- for named in widths().split(',') %}
        {%- set name = named.split('=')[0] %}
        when xor({{ one }}, {{ other }}) >> shift_{{ name }} between 1 and {{ 2 ** (named.split('=')[1] | int) - 1 }}
            then '{{ name }}'
        {%- endfor %}
        else 'record'
    end
{%- endmacro %}

{#- Seconds since 1970, to compare moments as numbers. -#}
{% macro seconds(moment) -%}{{ adapter.dispatch('seconds')(moment) }}{%- endmacro %}
{% macro default__seconds(moment) -%}unix_timestamp({{ moment }}){%- endmacro %}
{% macro duckdb__seconds(moment) -%}epoch({{ moment }}){%- endmacro %}
