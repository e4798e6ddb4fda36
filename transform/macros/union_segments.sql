{#- Every segment of the folder `models/segments`, found by the macro `segment__<name>` that stands in its file. -#}
{% macro union_segments() -%}
    {%- for name in context.keys() | sort if name.startswith('segment__') -%}
    select
        '{{ name[9:] }}' as segment,
        customer_id,
        reason,
        purposes
    from {{ ref(name[9:]) }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
{%- endmacro %}
