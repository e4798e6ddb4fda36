{#-
    Tables and views are replaced in one statement, which DuckDB takes back whole where it fails. dbt makes them under
    another name, renames the old one, renames the new one and drops the old one: docs/decisions/0131.
-#}
{% materialization view, adapter='duckdb' -%}
    {%- set made = this.incorporate(type='view') -%}
    {{- run_hooks(pre_hooks) -}}
    {%- call statement('main') -%}
        {%- if config.get('contract').enforced -%}{{ get_assert_columns_equivalent(compiled_code) }}{%- endif %}
        {{ drop_unless('view') }}
        create or replace view {{ made }} as (
            {{ compiled_code }}
        )
    {%- endcall -%}
    {{- run_hooks(post_hooks) -}}
    {%- do adapter.commit() -%}
    {{- return({'relations': [made]}) -}}
{%- endmaterialization %}

{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] -%}
    {%- set made = this.incorporate(type='table') -%}
    {{- run_hooks(pre_hooks) -}}
    {%- call statement('main', language=model['language']) -%}
        {%- if model['language'] == 'python' -%}
            {%- set creates = "con.execute('create table " ~ made -%}
            {%- set replaces = "con.execute('" ~ drop_unless('table') ~ " create or replace table " ~ made -%}
            {{ create_table_as(False, made, compiled_code, 'python') | replace(creates, replaces) }}
        {%- elif config.get('contract').enforced %}
            {{ get_assert_columns_equivalent(compiled_code) }}
            {{ drop_unless('table') }}
            create or replace table {{ made }} {{ get_table_columns_and_constraints() }};
            insert into {{ made }} {{ get_column_names() }} (
                {{ get_select_subquery(compiled_code) }}
            )
        {%- else %}
            {{ drop_unless('table') }}
            create or replace table {{ made }} as (
                {{ compiled_code }}
            )
        {%- endif -%}
    {%- endcall -%}
    {{- run_hooks(post_hooks) -}}
    {%- do adapter.commit() -%}
    {{- return({'relations': [made]}) -}}
{%- endmaterialization %}

{#- Drops what stands under this model's name, where it is a table and a view is wanted, or the other way round. -#}
{% macro drop_unless(kind) -%}
    {%- set before = load_cached_relation(this) -%}
    {%- if before is not none and before.type != kind -%}drop {{ before.type }} if exists {{ before }};{%- endif -%}
{%- endmacro %}
