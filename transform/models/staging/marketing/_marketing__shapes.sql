{{ config(enabled=false) }}
{% macro shapes__marketing() %}
    {{ return({
        'contact_observed': [
            'stg_marketing__readers', 'stg_marketing__profiles', 'stg_marketing__ad_leads',
        ],
        'consent_observed': ['stg_marketing__newsletter_consents', 'stg_marketing__lead_consents'],
        'interaction_observed': [
            'stg_marketing__newsletter', 'stg_marketing__social', 'stg_marketing__ad_clicks',
        ],
    }) }}
{% endmacro %}
