with source as (
    select * from {{ ref('stg_shopify__sales') }}
),

lines as (
    select
        id,
        {{ json_rows('lineitems') }} as line
    from source
),

renamed as (
    select
        ---------- ids
        'orders' as stream,
        id as record_key,
        -- the number at the end of gid://shopify/LineItem/1
        try_cast(split_part({{ json_text('line', '$.id') }}, '/', 5) as bigint) as line_no,
        ---------- line
        {{ json_text('line', '$.product.id') }} as product_key,
        {{ json_text('line', '$.sku') }} as sku,
        {{ json_text('line', '$.name') }} as product,
        {{ json_text('line', '$.quantity') }} as quantity,
        {{ json_text('line', '$.discountedTotalSet.shopMoney.amount') }} as amount
    from lines
)

select * from renamed
