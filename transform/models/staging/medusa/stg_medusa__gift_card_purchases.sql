with source as (
    select * from {{ source('medusa', 'orders') }}
),

lines as (
    select
        id,
        {{ json_rows('items') }} as line
    from source
),

orders as (
    select
        record_key,
        person_stream,
        person_key,
        order_no,
        ordered_at
    from {{ ref('stg_medusa__orders') }}
    -- one of an order that was cancelled, or not paid, was not bought
    where is_counted
),

gift_cards as (
    select * from {{ ref('stg_medusa__gift_cards') }}
),

-- one that is in no order's line was given away, or put in by hand: who has it is not known
bought as (
    select
        gift_cards.*,
        orders.person_stream,
        orders.person_key,
        orders.order_no,
        orders.ordered_at
    from gift_cards
    inner join lines on gift_cards.line_key = {{ json_text('lines.line', '$.id') }}
    inner join orders on lines.id = orders.record_key
),

renamed as (
    select
        ---------- ids
        'gift_cards' as stream,
        gift_card_key as record_key,
        person_stream,
        person_key,
        ---------- interaction
        'gift_card_bought' as kind,
        'shop' as channel,
        concat_ws(
            '; ', 'order ' || order_no::string, status, cast(value as decimal(18, 2))::string || ' ' || currency
        ) as detail,
        ---------- timestamps
        coalesce(sold_at, ordered_at) as occurred_at
    from bought
)

select * from renamed
