with source as (
    select * from {{ source('vendure', 'orders') }}
    -- a cart is none yet, nor is what a clerk drafts
    where _deleted_at is null and orderplacedat is not null
),

payments as (
    select
        id,
        {{ json_rows('payments') }} as payment
    from source
),

methods as (
    select
        id,
        min_by(
            {{ json_text('payment', '$.method') }}, lpad({{ json_text('payment', '$.id') }}, 40, '0')
        ) as payment_method
    from payments
    where {{ json_text('payment', '$.state') }} in ('Settled', 'Authorized')
    group by id
),

refunds as (
    select
        id,
        {{ json_rows(json_text('payment', '$.refunds')) }} as refund
    from payments
),

-- money that went back; a refund that failed or waits has moved nothing
returned as (
    select
        id,
        sum(try_cast({{ json_text('refund', '$.total') }} as decimal(18, 2))) as refunded
    from refunds
    where {{ json_text('refund', '$.state') }} = 'Settled'
    group by id
),

joined as (
    select
        source.*,
        methods.payment_method,
        returned.refunded
    from source
    left join methods on source.id = methods.id
    left join returned on source.id = returned.id
),

renamed as (
    select
        ---------- ids
        'orders' as stream,
        id as record_key,
        'customers' as person_stream,
        customerid as person_key,
        code as order_no,
        ---------- order
        state as status,
        -- states are the shop's own: an order that was placed counts; a seller's part is in the buyer's order already
        state <> 'Cancelled' and coalesce(type, 'Regular') <> 'Seller' as is_counted,
        currencycode as currency,
        try_cast(totalwithtax as decimal(18, 2)) as total,
        {{ json_sum('discounts', '$.amountWithTax') }} as discount,
        try_cast(shippingwithtax as decimal(18, 2)) as shipping,
        coalesce(refunded, 0) as refunded,
        payment_method,
        'shop' as channel,
        ---------- timestamps
        {{ moment('orderplacedat') }} as ordered_at
    from joined
)

select * from renamed
