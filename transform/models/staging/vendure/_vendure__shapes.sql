{{ config(enabled=false) }}
{% macro shapes__vendure() %}
    {{ return({
        'person_observed': ['stg_vendure__persons'],
        'identifier_observed': ['stg_vendure__identifiers'],
        'order_observed': ['stg_vendure__orders'],
        'order_line_observed': ['stg_vendure__order_lines'],
        'interaction_observed': ['stg_vendure__carts', 'stg_vendure__promotion_uses'],
    }) }}
{% endmacro %}
