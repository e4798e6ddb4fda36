{{ config(enabled=false) }}
{% macro shapes__suitecrm() %}
    {{ return({
        'person_observed': ['stg_suitecrm__persons'],
        'identifier_observed': ['stg_suitecrm__identifiers'],
        'attribute_observed': ['stg_suitecrm__attributes'],
        'consent_observed': ['stg_suitecrm__consents'],
        'interaction_observed': [
            'stg_suitecrm__activities', 'stg_suitecrm__cases', 'stg_suitecrm__opportunities',
        ],
    }) }}
{% endmacro %}
