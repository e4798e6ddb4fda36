with source as (
    select * from {{ source('medusa', 'gift_cards') }}
),

renamed as (
    select
        ---------- ids
        id as gift_card_key,
        store_credit_account_id as account_key,
        line_item_id as line_key,
        ---------- gift card
        status,
        value,
        upper(currency_code) as currency,
        ---------- timestamps
        {{ moment('expires_at') }} as expires_at,
        {{ moment('created_at') }} as sold_at
    from source
)

select * from renamed
