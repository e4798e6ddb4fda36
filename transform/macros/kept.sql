{#-
    What a model of the last run left in the warehouse, by the names and types of the columns wanted; no rows where it
    is not there, has other columns, or a full refresh is asked for. `name` is a model of the same schema: the one that
    asks, unless another is named. Not `ref`: a model may look back at what is built after it.
-#}
{% macro kept(columns, name=none) -%}
    {%- set found = adapter.get_relation(this.database, this.schema, name or this.identifier) if execute else none -%}
    {%- set known = adapter.get_columns_in_relation(found) | map(attribute='name') | list if found else [] -%}
    {%- if not found or flags.FULL_REFRESH or columns.keys() | reject('in', known) | list | length > 0 %}
    select
        {%- for column, kind in columns.items() %}
        cast(null as {{ kind }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    where false
    {%- else %}
    select {{ columns.keys() | join(', ') }} from {{ found }}
    {%- endif %}
{%- endmacro %}

{#- Whether the last run left all of these tables, named schema.model, for this one to go on from. -#}
{% macro is_built(names) -%}
    {%- set lost = [] -%}
    {%- for name in names if execute -%}
        {%- set schema, table = name.split('.') -%}
        {%- if not adapter.get_relation(this.database, schema, table) -%}{%- do lost.append(name) -%}{%- endif -%}
    {%- endfor -%}
    {{ 'false' if lost or flags.FULL_REFRESH else 'true' }}
{%- endmacro %}

{#-
    Before a model with one row or more a customer takes the customers that changed, which `changed` lists: those rows as
    they were are gone.
-#}
{% macro forget_changed_customers(changed='changed_customers') -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where
        customer_id in (select changed.customer_id from {{ ref(changed) }} as changed)
        or (select run.is_whole from {{ ref('golden_run') }} as run)
    {%- endif -%}
{%- endmacro %}

{#- Before a model with one row or more a record takes the records that `changed` lists: those rows as they were are gone. -#}
{% macro forget_records(changed) -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where
        record in (select changed.record from {{ ref(changed) }} as changed)
        or (select run.is_whole from {{ ref('identity_run') }} as run)
    {%- endif -%}
{%- endmacro %}

{#- The same for evidence of values that are looked at anew, whole values at a time. -#}
{% macro forget_touched_values() -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where
        value_id in (select touched.value_id from {{ ref('touched_values') }} as touched)
        or (select run.is_whole from {{ ref('identity_run') }} as run)
    {%- endif -%}
{%- endmacro %}

{#- The same for edges of records that `changed` lists. -#}
{% macro forget_edges_of(changed) -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where
        left_record in (select changed.record from {{ ref(changed) }} as changed)
        or right_record in (select changed.record from {{ ref(changed) }} as changed)
        or (select run.is_whole from {{ ref('identity_run') }} as run)
    {%- endif -%}
{%- endmacro %}

{#- The same for edges of records that rules join otherwise. -#}
{% macro forget_edges_of_rescored_records() -%}{{ forget_edges_of('rescored_records') }}{%- endmacro %}

{#- The same for what is known of the edges of records that were looked at. -#}
{% macro forget_known_edges() -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where
        record_id in (select asked.record_id from {{ ref('edge_prints') }} as asked)
        or (select run.is_whole from {{ ref('identity_run') }} as run)
    {%- endif -%}
{%- endmacro %}

{#- Models of identity that keep rows of what did not change. -#}
{% macro record_by_record() -%}
    {{ return([
        'identity.observed_identifiers', 'identity.person_names', 'identity.person_said', 'identity.record_identifiers',
        'identity.record_evidence', 'identity.person_looks', 'identity.shared_evidence', 'identity.rule_edges',
        'identity.known_records', 'identity.known_prints', 'identity.known_edges', 'identity.spoken_prints',
        'identity.person_contacts', 'identity.person_edges', 'identity.likelihood_pairs', 'identity.clustering',
    ]) }}
{%- endmacro %}

{#- A number of 63 bits that changes when one of the expressions does, and stands for them where they are compared. -#}
{% macro print_of(expressions) -%}{{ adapter.dispatch('print_of')(expressions) }}{%- endmacro %}
{% macro default__print_of(expressions) -%}xxhash64({{ expressions | join(', ') }}){%- endmacro %}
{#- DuckDB's hash gives one number to texts that differ in their eighth and sixteenth letter: texts go through MD5. -#}
{% macro duckdb__print_of(expressions) -%}
    (hash(
        {%- for expression in expressions -%}
        md5_number(cast({{ expression }} as varchar)){{ ', ' if not loop.last }}
        {%- endfor -%}
    ) >> 1)::bigint
{%- endmacro %}

{#- One such number for texts that are always asked for together: cheaper, and not that of each of them. -#}
{% macro print_of_texts(texts) -%}{{ adapter.dispatch('print_of_texts')(texts) }}{%- endmacro %}
{% macro default__print_of_texts(texts) -%}xxhash64({{ texts | join(', ') }}){%- endmacro %}
{% macro duckdb__print_of_texts(texts) -%}
    (hash(md5_number(
        {%- for text in texts -%}
        coalesce({{ text }}, chr(30)){{ ' || chr(31) || ' if not loop.last }}
        {%- endfor -%}
    )) >> 1)::bigint
{%- endmacro %}

{#- One such number for several. -#}
{% macro print_of_prints(prints) -%}{{ adapter.dispatch('print_of_prints')(prints | join(', ')) }}{%- endmacro %}
{% macro default__print_of_prints(prints) -%}xxhash64({{ prints }}){%- endmacro %}
{% macro duckdb__print_of_prints(prints) -%}(hash({{ prints }}) >> 1)::bigint{%- endmacro %}

{#- All that identity hangs on and is no record: rules, models, functions, and the variables that models read. -#}
{% macro identity_settings() -%}
    {%- set said = [] -%}
    {%- for name in ['rule_accept', 'likelihood', 'likelihood_accept', 'likelihood_review', 'likelihood_settled'] -%}
        {%- do said.append(name ~ ' ' ~ var(name, '')) -%}
    {%- endfor -%}
    (identity_version() || ' {{ said | join(', ') }}')
{%- endmacro %}

{#- The name of this run of dbt. -#}
{% macro run_id() -%}{{ adapter.dispatch('run_id')() }}{%- endmacro %}
{% macro default__run_id() -%}'{{ invocation_id }}'{%- endmacro %}
