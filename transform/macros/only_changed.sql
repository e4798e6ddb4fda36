{#-
    Rows of what `changed` lists, where a model goes on from its last run; all rows where its table is new, for then the
    run is a whole one and lists everything. The model names `changed` after `depends_on`: dbt does not see it in here.
-#}
{% macro only_changed(column, changed, key='record') -%}
    {%- if is_incremental() -%}
    {{ column }} in (select {{ changed }}.{{ key }} from {{ ref(changed) }} as {{ changed }})
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}
