{#-
    For models that keep what was normalised: the condition that leaves only values not yet in this table.

    A change of the functions themselves asks for `dbt build --full-refresh`.
-#}
{% macro not_yet_known(columns) -%}
    {%- if is_incremental() %}
        and not exists (
            select 1 from {{ this }} as known
            where
            {%- for column in columns %}
                {{ 'and ' if not loop.first }}known.{{ column }} = seen.{{ column }}
            {%- endfor %}
        )
    {%- endif -%}
{%- endmacro %}

{#- Before a table of values that were read once takes more: what other functions read is forgotten. -#}
{% macro forget_values_read_otherwise() -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where (select run.reads_anew from {{ ref('identity_run') }} as run)
    {%- endif -%}
{%- endmacro %}
