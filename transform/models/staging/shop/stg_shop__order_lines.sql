with source as (
    select * from {{ source('shop', 'orders') }}
),

lines as (
    select
        id,
        {{ json_rows('line_items') }} as line
    from source
),

renamed as (
    select
        ---------- ids
        'orders' as stream,
        id as record_key,
        {{ json_text('line', '$.id') }} as line_no,
        ---------- line
        {{ json_text('line', '$.product_id') }} as product_key,
        {{ json_text('line', '$.sku') }} as sku,
        {{ json_text('line', '$.name') }} as product,
        {{ json_text('line', '$.quantity') }} as quantity,
        {{ json_text('line', '$.total') }} as amount
    from lines
)

select * from renamed
