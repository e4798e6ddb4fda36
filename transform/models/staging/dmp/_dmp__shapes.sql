{{ config(enabled=false) }}
{% macro shapes__dmp() %}
    {{ return({
        'contact_observed': ['stg_dmp__devices'],
        'identifier_observed': ['stg_dmp__identifiers'],
        'attribute_observed': ['stg_dmp__segments'],
    }) }}
{% endmacro %}
