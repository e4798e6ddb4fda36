with source as (
    select * from {{ source('shopify', 'orders') }}
),

deleted as (
    select id
    from {{ source('shopify', 'order_keys') }}
    where _deleted_at is not null
),

kept as (
    select
        source.id,
        source.name,
        source.processedat,
        source.cancelledat,
        source.sourcename,
        source.displayfinancialstatus,
        source.email,
        source.phone,
        source.customer,
        source.paymentgatewaynames,
        source.totalpriceset,
        source.totaldiscountsset,
        source.totalshippingpriceset,
        source.billingaddress,
        source.refunds,
        source.lineitems
    from source
    left join deleted on source.id = deleted.id
    where deleted.id is null and not coalesce(source.test, false)
)

select * from kept
