with source as (
    select * from {{ source('vendure', 'orders') }}
    where _deleted_at is null
),

orders as (
    select * from {{ ref('stg_vendure__orders') }}
    -- what was cancelled used none, and a seller's part used those of the buyer's order
    where is_counted and person_key is not null
),

promotions as (
    select * from {{ ref('stg_vendure__promotions') }}
),

named as (
    select
        id,
        {{ json_rows('promotions') }} as promotion
    from source
),

reduced as (
    select
        id,
        {{ json_rows('discounts') }} as discount
    from source
),

-- a promotion that gives something away reduces nothing; an order may name those alone that reduced it
told as (
    select
        id,
        {{ json_text('promotion', '$.id') }} as promotion_key,
        {{ json_text('promotion', '$.name') }} as name,
        {{ json_text('promotion', '$.couponCode') }} as coupon_code,
        null as description,
        null as amount
    from named
    union all
    select
        id,
        nullif(
            regexp_extract({{ json_text('discount', '$.adjustmentSource') }}, '^PROMOTION:(.+)$', 1), ''
        ) as promotion_key,
        null as name,
        null as coupon_code,
        {{ json_text('discount', '$.description') }} as description,
        try_cast({{ json_text('discount', '$.amountWithTax') }} as decimal(18, 2)) as amount
    from reduced
),

used as (
    select
        id,
        promotion_key,
        coalesce(max(name), max(description)) as name,
        max(coupon_code) as coupon_code,
        sum(amount) as amount
    from told
    where promotion_key is not null
    group by id, promotion_key
),

joined as (
    select
        orders.record_key || ' ' || used.promotion_key as record_key,
        orders.person_stream,
        orders.person_key,
        orders.order_no,
        orders.currency,
        orders.ordered_at,
        coalesce(promotions.name, used.name) as name,
        coalesce(promotions.coupon_code, used.coupon_code) as coupon_code,
        used.amount
    from used
    inner join orders on used.id = orders.record_key
    left join promotions on used.promotion_key = promotions.record_key
),

renamed as (
    select
        ---------- ids
        'orders' as stream,
        record_key,
        person_stream,
        person_key,
        ---------- event
        'promotion_used' as kind,
        'shop' as channel,
        concat_ws(
            '; ', name, coupon_code, 'order ' || order_no, cast(amount as decimal(18, 2))::string || ' ' || currency
        ) as detail,
        ---------- timestamps
        ordered_at as occurred_at
    from joined
)

select * from renamed
