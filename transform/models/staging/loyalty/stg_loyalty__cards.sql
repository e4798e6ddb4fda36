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
        ---------- card
        card_no,
        replaces_card,
        issued_on,
        balance
    from source
)

select * from renamed
