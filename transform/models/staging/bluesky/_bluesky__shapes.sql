{{ config(enabled=false) }}
{% macro shapes__bluesky() %}
    {{ return({
        'contact_observed': ['stg_bluesky__profiles'],
        'interaction_observed': ['stg_bluesky__notifications', 'stg_bluesky__likes'],
    }) }}
{% endmacro %}
