with source as (
    select * from {{ source('medusa', 'orders') }}
),

strangers as (
    select record_key from {{ ref('stg_medusa__buyers') }}
),

collections as (
    select
        id,
        {{ json_rows('payment_collections') }} as collection
    from source
),

payments as (
    select
        id,
        {{ json_rows(json_text('collection', '$.payments')) }} as payment
    from collections
),

methods as (
    select
        id,
        min_by({{ json_text('payment', '$.provider_id') }}, {{ json_text('payment', '$.id') }}) as payment_method
    from payments
    group by id
),

refunds as (
    select
        id,
        {{ json_rows(json_text('payment', '$.refunds')) }} as refund
    from payments
),

-- a refund of a payment that bypassed the order is in no sum that the order tells
returned as (
    select
        id,
        sum(try_cast({{ json_text('refund', '$.amount') }} as decimal(18, 2))) as refunded
    from refunds
    group by id
),

joined as (
    select
        source.*,
        methods.payment_method,
        coalesce(returned.refunded, 0) as refunded,
        strangers.record_key is not null as is_stranger
    from source
    left join methods on source.id = methods.id
    left join returned on source.id = returned.id
    left join strangers on source.id = strangers.record_key
),

renamed as (
    select
        ---------- ids
        'orders' as stream,
        id as record_key,
        case when is_stranger then 'orders' else 'customers' end as person_stream,
        case when is_stranger then id else customer_id end as person_key,
        display_id as order_no,
        ---------- order
        status,
        -- an order counts once it is paid, or where gift cards and store credit left nothing to pay
        status not in ('canceled', 'draft') and (
            payment_status in (
                'authorized', 'partially_authorized', 'captured', 'partially_captured', 'partially_refunded'
            )
            or (payment_status = 'not_paid' and total <= 0)
        ) as is_counted,
        upper(currency_code) as currency,
        -- the vendor's total is less what was refunded and what store credit paid
        item_total + shipping_total as total,
        discount_total as discount,
        shipping_total as shipping,
        refunded,
        payment_method,
        'shop' as channel,
        ---------- timestamps
        {{ moment('created_at') }} as ordered_at
    from joined
)

select * from renamed
