with source as (
    select * from {{ source('medusa', 'store_credit_accounts') }}
    -- what stands behind a gift card is whoever's has the code
    where _deleted_at is null and customer_id is not null
),

renamed as (
    select
        ---------- ids
        'store_credit_accounts' as stream,
        id as record_key,
        'customers' as person_stream,
        customer_id as person_key,
        ---------- card
        id as card_no,
        {{ moment('created_at') }}::date as issued_on,
        balance
    from source
)

select * from renamed
