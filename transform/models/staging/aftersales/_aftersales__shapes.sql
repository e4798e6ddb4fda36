{{ config(enabled=false) }}
{% macro shapes__aftersales() %}
    {{ return({
        'person_observed': ['stg_aftersales__persons'],
        'role_observed': ['stg_aftersales__registration_roles', 'stg_aftersales__care_plan_roles'],
        'order_observed': ['stg_aftersales__personalisations'],
        'order_line_observed': ['stg_aftersales__personalisation_lines'],
        'interaction_observed': ['stg_aftersales__registrations', 'stg_aftersales__service_visits'],
    }) }}
{% endmacro %}
