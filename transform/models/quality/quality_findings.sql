with final as (
    {{ findings_of([
        'quality_texts', 'quality_dates', 'quality_consents', 'quality_identifiers', 'quality_tax_codes',
        'quality_places', 'quality_refusals', 'key_repeated', 'clock_ahead',
    ]) }}
)

select * from final
