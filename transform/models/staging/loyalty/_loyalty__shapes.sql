{{ config(enabled=false) }}
{% macro shapes__loyalty() %}
    {{ return({
        'person_observed': ['stg_loyalty__persons'],
        'identifier_observed': ['stg_loyalty__identifiers'],
        'consent_observed': ['stg_loyalty__consents'],
        'role_observed': ['stg_loyalty__roles'],
        'card_observed': ['stg_loyalty__cards'],
        'card_movement_observed': ['stg_loyalty__movements'],
    }) }}
{% endmacro %}
