{#-
    The e-mail addresses that staging models of sources other than one tell, each as often as it is told: what somebody
    outside names by its hash alone can be looked up in them.
-#}
{% macro staged_mailboxes(but_of) -%}
    {%- set parts = [] -%}
    {%- for name in context.keys() | sort if name.startswith('shapes__') and name[8:] != but_of -%}
        {%- set given = context[name]() -%}
        {%- for staged in given.get('person_observed', []) + given.get('contact_observed', []) -%}
            {%- do parts.append(mailboxes_of(ref(staged))) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ (parts or ['select cast(null as string) as email where false']) | join('\nunion all\n') }}
{%- endmacro %}

{% macro mailboxes_of(relation) -%}
    {%- set given = adapter.get_columns_in_relation(relation) | map(attribute='name') | list if execute else [] -%}
    select {{ 'email' if 'email' in given else 'cast(null as string) as email' }} from {{ relation }}
{%- endmacro %}

{#- SHA-256 of a text, in small hexadecimal digits. -#}
{% macro sha256_of(expression) -%}{{ adapter.dispatch('sha256_of')(expression) }}{%- endmacro %}
{% macro default__sha256_of(expression) -%}sha2({{ expression }}, 256){%- endmacro %}
{% macro duckdb__sha256_of(expression) -%}sha256({{ expression }}){%- endmacro %}
