{#-
    Every staging model that its source declares for a shape, one below the other, with the source's name in front.

    - sources are found by their macro `shapes__<source>`, which stands in the source's own folder
    - rows of people who were erased are left out
    - a column that a model leaves out is a typed null; one that the shape does not have is a compiler error
-#}
{% macro union_shape(shape) -%}
    {%- set columns = shapes()[shape] -%}
    {%- set parts = [] -%}
    {%- for name in context.keys() | sort if name.startswith('shapes__') -%}
        {%- for staged in context[name]().get(shape, []) -%}
            {%- do parts.append(staged_part(name[8:], ref(staged), shape, columns)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ without_erased(shape, (parts or [no_rows(columns)]) | join('\nunion all\n')) }}
{%- endmacro %}

{% macro staged_part(source_name, relation, shape, columns) -%}
    {%- set given = adapter.get_columns_in_relation(relation) | map(attribute='name') | list if execute else [] -%}
    {%- for column in given if column not in columns -%}
        {{ exceptions.raise_compiler_error(
            relation.identifier ~ ": shape " ~ shape ~ " has no column '" ~ column ~ "'. Next: rename it to one of "
            ~ columns.keys() | join(', ') ~ "."
        ) }}
    {%- endfor -%}
    select
        '{{ source_name }}' as source,
    {%- for column, kind in columns.items() %}
        {{ cast_to(column if column in given else 'null', kind) }} as {{ column }}
        {{- ',' if not loop.last }}
    {%- endfor %}
    from {{ relation }}
{%- endmacro %}

{% macro no_rows(columns) -%}
    select
        cast(null as string) as source,
    {%- for column, kind in columns.items() %}
        {{ cast_to('null', kind) }} as {{ column }}
        {{- ',' if not loop.last }}
    {%- endfor %}
    where false
{%- endmacro %}

{#- The sources that the project maps, one row each. -#}
{% macro mapped_sources() -%}
    {%- for name in context.keys() | sort if name.startswith('shapes__') %}
    select '{{ name[8:] }}' as source{{ ' union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
