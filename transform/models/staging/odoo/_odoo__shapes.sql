{{ config(enabled=false) }}
{% macro shapes__odoo() %}
    {{ return({
        'person_observed': ['stg_odoo__persons', 'stg_odoo__askers'],
        'consent_observed': ['stg_odoo__consents'],
        'suppression_observed': ['stg_odoo__suppressions'],
        'order_observed': ['stg_odoo__orders'],
        'order_line_observed': ['stg_odoo__order_lines'],
        'interaction_observed': ['stg_odoo__enquiries', 'stg_odoo__invoice_events', 'stg_odoo__payment_events'],
    }) }}
{% endmacro %}
