with source as (
    select * from {{ source('loyalty', 'cards') }}
),

renamed as (
    select
        ---------- ids
        'cards' as stream,
        card_no as record_key,
        ---------- identifier
        'card' as kind,
        card_no as value
    from source

    union all

    -- the card that this one replaced belongs to the same wallet
    select
        'cards' as stream,
        card_no as record_key,
        'card' as kind,
        replaces_card as value
    from source
)

select * from renamed
