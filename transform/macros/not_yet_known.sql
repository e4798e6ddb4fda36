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
