with source as (
    select * from {{ source('shop', 'orders') }}
),

strangers as (
    select record_key from {{ ref('stg_shop__buyers') }}
),

joined as (
    select
        source.*,
        strangers.record_key is not null as is_stranger
    from source
    left join strangers on source.id = strangers.record_key
),

renamed as (
    select
        ---------- ids
        'orders' as stream,
        id as record_key,
        case when is_stranger then 'orders' else 'customers' end as person_stream,
        case when is_stranger then id else customer_id end as person_key,
        number as order_no,
        ---------- order
        status,
        -- an order counts once it is paid; what failed, was cancelled or given back wholly is kept and not counted
        status in ('processing', 'completed', 'on-hold') as is_counted,
        currency,
        try_cast(total as decimal(18, 2)) as total,
        try_cast(discount_total as decimal(18, 2)) as discount,
        try_cast(shipping_total as decimal(18, 2)) as shipping,
        {{ json_sum('refunds', '$.total') }} as refunded,
        payment_method,
        'shop' as channel,
        {{ json_entry('meta_data', '_pickup_shop') }} as pickup_shop,
        ---------- timestamps
        {{ moment('date_created_gmt') }} as ordered_at
    from joined
)

select * from renamed
