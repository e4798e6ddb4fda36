{{ config(enabled=false) }}
{% macro shapes__mastodon() %}
    {{ return({
        'contact_observed': ['stg_mastodon__profiles'],
        'interaction_observed': ['stg_mastodon__notifications'],
    }) }}
{% endmacro %}
