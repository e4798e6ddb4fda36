{#-
    Rows of what `changed` lists, where a model goes on from its last run; all rows where its table is new, for then the
    run is a whole one and lists everything. The model names `changed` after `depends_on`: dbt does not see it in here.
-#}
{% macro only_changed(column, changed, key='record', kept=none, otherwise='true') -%}
    {{ only_where_kept(
        column ~ ' in (select ' ~ changed ~ '.' ~ key ~ ' from ' ~ ref(changed) ~ ' as ' ~ changed ~ ')',
        kept, otherwise
    ) }}
{%- endmacro %}

{#- A condition, where a model goes on from its last run, else another. -#}
{% macro only_where_kept(condition, kept=none, otherwise='true') -%}
    {{ condition if goes_on(kept) else otherwise }}
{%- endmacro %}

{#- Whether a model goes on from its last run. One that is made anew in every run says by `kept` which table it serves. -#}
{% macro goes_on(kept=none) -%}
    {{ return(is_built([this.schema ~ '.' ~ kept]) == 'true' if kept else is_incremental()) }}
{%- endmacro %}
