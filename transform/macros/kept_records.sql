{#- Before a model takes the records that changed: those rows as they were are kept until the next run, marked `was`. -#}
{% macro keep_changed_records_as_past() -%}
    {%- if is_incremental() -%}
    delete from {{ this }} where was or (select run.is_whole from {{ ref('identity_run') }} as run);
    update {{ this }} set was = true
    where record in (select changed.record from {{ ref('changed_records') }} as changed);
    {%- endif -%}
{%- endmacro %}
