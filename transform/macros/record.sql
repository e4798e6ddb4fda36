{#- The name of a source record wherever identity speaks of it: `source/stream/key`. -#}
{% macro record(prefix='') -%}
    {{ prefix }}source || '/' || {{ prefix }}stream || '/' || {{ prefix }}record_key
{%- endmacro %}

{#- The record that speaks of the person of an observation. -#}
{% macro person_record(prefix='') -%}
    {{ prefix }}source || '/' || {{ prefix }}person_stream || '/' || {{ prefix }}person_key
{%- endmacro %}
