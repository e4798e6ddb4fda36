{{ config(enabled=false) }}
{% macro shapes__shop() %}
    {{ return({
        'person_observed': ['stg_shop__persons', 'stg_shop__buyers'],
        'contact_observed': ['stg_shop__reviewers'],
        'identifier_observed': ['stg_shop__identifiers'],
        'consent_observed': ['stg_shop__consents'],
        'order_observed': ['stg_shop__orders'],
        'order_line_observed': ['stg_shop__order_lines'],
        'review_observed': ['stg_shop__reviews'],
    }) }}
{% endmacro %}
