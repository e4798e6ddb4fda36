{#-
    The rows of a shape but those of people who were erased: rows kept for a legal reason alone, and rows that bear an
    identifier of theirs and were observed before the erasure, or nobody knows when. Who comes again after it counts.

    - nobody erased: the rows as they are, and nothing is hashed
-#}
{% macro without_erased(shape, rows) -%}
    {%- set stones = ref('stg_snello__tombstones') -%}
    {%- if shape not in ['person_observed', 'contact_observed'] or not is_anybody_erased(stones) -%}
    {{ rows }}
    {%- else -%}
    {%- set compared = {'email': 'email', 'phone': 'phone', 'mobile': 'phone', 'tax_code': 'tax_code'} -%}
    {%- set columns = shapes()[shape] -%}
    select said.*
    from (
        {{ rows }}
    ) as said
    left join {{ stones }} as held
        on
            held.kind = 'held' and said.source = held.source and said.stream = held.stream
            and secret_key({{ record('said.') }}) = held.value_hash
    {%- for column, kind in compared.items() if column in columns %}
    left join {{ stones }} as by_{{ column }}
        on
            by_{{ column }}.kind = '{{ kind }}'
            and by_{{ column }}.value_hash = case
                when said.{{ column }} is not null
                    and coalesce(said.observed_at <= (select max(last.erased_at) from {{ stones }} as last), true)
                    then secret_key({{ tombstone_form(kind, 'said.' ~ column) }})
            end
            and coalesce(said.observed_at <= by_{{ column }}.erased_at, true)
    {%- endfor %}
    where
        held.kind is null
    {%- for column in compared if column in columns %}
        and by_{{ column }}.kind is null
    {%- endfor %}
    {%- endif -%}
{%- endmacro %}

{#- How an identifier is written where it is compared with tombstones, however its source spells it. -#}
{% macro tombstone_form(kind, value) -%}
    {%- if kind == 'email' -%} lower(trim({{ value }}))
    {%- elif kind == 'phone' -%} {{ digits_of(value) }}
    {%- else -%} upper(replace({{ value }}, ' ', ''))
    {%- endif -%}
{%- endmacro %}

{% macro digits_of(value) -%}{{ adapter.dispatch('digits_of')(value) }}{%- endmacro %}
{% macro default__digits_of(value) -%}regexp_replace({{ value }}, '[^0-9]', ''){%- endmacro %}
{% macro duckdb__digits_of(value) -%}regexp_replace({{ value }}, '[^0-9]', '', 'g'){%- endmacro %}

{% macro is_anybody_erased(stones) -%}
    {{- return(execute and run_query('select 1 as found from ' ~ stones ~ ' limit 1').rows | length > 0) -}}
{%- endmacro %}
