{{ config(enabled=false) }}
{% macro shapes__shopify() %}
    {{ return({
        'person_observed': ['stg_shopify__persons', 'stg_shopify__buyers'],
        'identifier_observed': ['stg_shopify__identifiers'],
        'consent_observed': ['stg_shopify__consents'],
        'order_observed': ['stg_shopify__orders'],
        'order_line_observed': ['stg_shopify__order_lines'],
        'interaction_observed': ['stg_shopify__abandoned_checkouts'],
    }) }}
{% endmacro %}
