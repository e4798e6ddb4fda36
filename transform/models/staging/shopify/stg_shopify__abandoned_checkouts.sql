with source as (
    select * from {{ source('shopify', 'abandoned_checkouts') }}
),

renamed as (
    select
        ---------- ids
        'abandoned_checkouts' as stream,
        id as record_key,
        'customers' as person_stream,
        {{ json_text('customer', '$.id') }} as person_key,
        ---------- event
        'checkout_abandoned' as kind,
        'web' as channel,
        {{ json_text('totalpriceset', '$.shopMoney.amount') }}
        || ' ' || {{ json_text('totalpriceset', '$.shopMoney.currencyCode') }} as detail,
        ---------- timestamps
        {{ moment('createdat') }} as occurred_at
    from source
    -- one that was completed after all is told by its order; one of nobody is nobody's
    where completedat is null and {{ json_text('customer', '$.id') }} is not null
)

select * from renamed
