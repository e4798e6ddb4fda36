{{ config(enabled=false) }}
{% macro shapes__contact_centre() %}
    {{ return({
        'contact_observed': ['stg_contact_centre__contacts'],
        'attribute_observed': ['stg_contact_centre__languages'],
        'consent_observed': ['stg_contact_centre__consents'],
        'interaction_observed': ['stg_contact_centre__calls'],
    }) }}
{% endmacro %}
