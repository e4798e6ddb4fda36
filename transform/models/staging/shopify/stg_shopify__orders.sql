with source as (
    select * from {{ ref('stg_shopify__sales') }}
),

renamed as (
    select
        ---------- ids
        'orders' as stream,
        id as record_key,
        case when {{ json_text('customer', '$.id') }} is null then 'orders' else 'customers' end as person_stream,
        coalesce({{ json_text('customer', '$.id') }}, id) as person_key,
        name as order_no,
        ---------- order
        lower(displayfinancialstatus) as status,
        -- an order counts once it is paid; what was cancelled or given back wholly is kept and not counted
        cancelledat is null and displayfinancialstatus in ('PAID', 'PARTIALLY_REFUNDED') as is_counted,
        {{ json_text('totalpriceset', '$.shopMoney.currencyCode') }} as currency,
        try_cast({{ json_text('totalpriceset', '$.shopMoney.amount') }} as decimal(18, 2)) as total,
        try_cast({{ json_text('totaldiscountsset', '$.shopMoney.amount') }} as decimal(18, 2)) as discount,
        try_cast({{ json_text('totalshippingpriceset', '$.shopMoney.amount') }} as decimal(18, 2)) as shipping,
        {{ json_sum('refunds', '$.totalRefundedSet.shopMoney.amount') }} as refunded,
        {{ json_text('paymentgatewaynames', '$[0]') }} as payment_method,
        case sourcename when 'pos' then 'store' else 'shop' end as channel,
        ---------- timestamps
        {{ moment('processedat') }} as ordered_at
    from source
)

select * from renamed
