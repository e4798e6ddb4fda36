{{ config(enabled=false) }}
{% macro shapes__crm() %}
    {{ return({
        'person_observed': ['stg_crm__persons'],
        'consent_observed': ['stg_crm__consents'],
        'interaction_observed': ['stg_crm__dealer_visits'],
    }) }}
{% endmacro %}
