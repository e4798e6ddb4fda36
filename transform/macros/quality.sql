{#- The stream and the key in the name of a record, see `record()`. -#}
{% macro stream_of(record='record') -%}split_part({{ record }}, '/', 2){%- endmacro %}

{% macro key_of(record='record', source='source') -%}
    substr({{ record }}, length({{ source }}) + length({{ stream_of(record) }}) + 3)
{%- endmacro %}

{#- The rows of a shape that are dated after today. -#}
{% macro dated_ahead(rule, shape, column) -%}
    select
        '{{ rule }}' as rule,
        source,
        stream,
        record_key
    from {{ ref(shape) }}
    where cast({{ column }} as date) > {{ today() }}
{%- endmacro %}

{#- The findings of several models. -#}
{% macro findings_of(names) -%}
    {%- for name in names %}
    select
        rule,
        source,
        stream,
        record_key,
        findings
    from {{ ref(name) }}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
{%- endmacro %}

{#- The three smallest keys of a group, hashed. -#}
{% macro examples(key) -%}{{ adapter.dispatch('examples')(key) }}{%- endmacro %}
{% macro default__examples(key) -%}
    array_join(transform(slice(sort_array(collect_set({{ key }})), 1, 3), one -> secret_key(one)), ' ')
{%- endmacro %}
{% macro duckdb__examples(key) -%}
    array_to_string(list_transform(min({{ key }}, 3), lambda one: secret_key(one)), ' ')
{%- endmacro %}

{#-
    The latest of the rows that share a key; of equally late ones, always the same.

    - only rows whose key repeats are sorted: they are few, and sorting all would cost as much as reading them
-#}
{% macro latest_only(relation, moment, columns, also=[]) -%}
    {%- set key = ['source', 'stream', 'record_key'] + also -%}
    {%- set repeated -%}
        (
            select {{ key | join(', ') }}
            from {{ relation }}
            group by {{ key | join(', ') }}
            having count(*) > 1
        ) as repeated
        on {% for column in key -%}
            {{ relation }}.{{ column }} is not distinct from repeated.{{ column }}{{ ' and ' if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    select {{ relation }}.* from {{ relation }}
    left join {{ repeated }}
    where repeated.source is null

    union all

    select * from (
        select {{ relation }}.* from {{ relation }}
        inner join {{ repeated }}
    ) as several
    qualify
        row_number() over (
            partition by {{ key | join(', ') }}
            order by {{ moment }} desc nulls last, {{ columns | join(', ') }}
        ) = 1
{%- endmacro %}

{#-
    The raw tables that say when a row was changed: table, key (the first declared column), column.

    - found in what the project declares; the source's clock is compared with ours, which wrote `_sdc_extracted_at`
-#}
{% macro changed_columns() -%}
    {%- set found = [] -%}
    {%- set names = ['updated_at', 'modified_at', 'date_modified_gmt', 'created_at', 'date_created_gmt'] -%}
    {%- for node in graph.get('sources', {}).values() | sort(attribute='unique_id')
        if execute and node.schema.startswith('raw_') and '_sdc_extracted_at' in node.columns -%}
        {%- for column in names if column in node.columns -%}
            {%- do found.append({
                'table': node.relation_name, 'source': node.source_name, 'stream': node.name, 'column': column,
                'key': node.columns.keys() | list | first,
            }) if node.columns[column].data_type == 'timestamp with time zone' -%}
        {%- endfor -%}
    {%- endfor -%}
    {% do return(found) %}
{%- endmacro %}

{#- The keys that several rows of a shape have. -#}
{% macro repeated_keys(names) -%}
    {%- for name in names %}
    select
        'key_repeated' as rule,
        source,
        stream,
        record_key,
        1 as findings
    from ({{ union_shape(name) }}) as {{ name }}
    where record_key is not null
    group by source, stream, record_key
    having count(*) > 1
    {%- if not loop.last %}

    -- a row may speak in two shapes
    union
    {% endif %}
    {%- endfor %}
{%- endmacro %}

{#- Rows that the source changed more than five minutes after they were read. -#}
{% macro clocks_ahead() -%}
    {%- for found in changed_columns() %}
    select
        'clock_ahead' as rule,
        '{{ found.source }}' as source,
        '{{ found.stream }}' as stream,
        cast({{ found.key }} as string) as record_key,
        1 as findings
    from {{ found.table }}
    where {{ found.column }} > _sdc_extracted_at + interval 5 minute
    union all
    {%- endfor %}
    select
        cast(null as string) as rule,
        cast(null as string) as source,
        cast(null as string) as stream,
        cast(null as string) as record_key,
        1 as findings
    where false
{%- endmacro %}
