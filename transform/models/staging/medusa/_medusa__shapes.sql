{{ config(enabled=false) }}
{% macro shapes__medusa() %}
    {{ return({
        'person_observed': ['stg_medusa__persons', 'stg_medusa__buyers'],
        'identifier_observed': ['stg_medusa__identifiers'],
        'order_observed': ['stg_medusa__orders'],
        'order_line_observed': ['stg_medusa__order_lines'],
        'card_observed': ['stg_medusa__store_credit'],
        'card_movement_observed': ['stg_medusa__store_credit_bookings'],
        'interaction_observed': ['stg_medusa__returns', 'stg_medusa__gift_card_purchases'],
    }) }}
{% endmacro %}
