with source as (
    select * from {{ source('loyalty', 'cards') }}
),

renamed as (
    select
        ---------- ids
        'cards' as stream,
        card_no as record_key,
        'cards' as person_stream,
        card_no as person_key,
        ---------- role
        'card_holder' as role,
        'yes' as state,
        'loyalty card ' || card_no as holding,
        ---------- timestamps
        coalesce({{ moment('issued_on') }}, _sdc_extracted_at) as observed_at
    from source
)

select * from renamed
