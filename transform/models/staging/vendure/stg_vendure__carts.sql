with source as (
    select * from {{ source('vendure', 'orders') }}
    -- of a cart that nobody is known to have filled, nothing can be said
    where
        _deleted_at is null
        and orderplacedat is null
        and active
        and totalquantity > 0
        and customerid is not null
),

renamed as (
    select
        ---------- ids
        'orders' as stream,
        id as record_key,
        'customers' as person_stream,
        customerid as person_key,
        ---------- event
        'cart' as kind,
        'shop' as channel,
        concat_ws('; ', totalquantity::string || ' pieces', totalwithtax || ' ' || currencycode, state) as detail,
        ---------- timestamps
        {{ moment('updatedat') }} as occurred_at
    from source
)

select * from renamed
