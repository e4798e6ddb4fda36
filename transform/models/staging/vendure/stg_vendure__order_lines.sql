with source as (
    select * from {{ source('vendure', 'orders') }}
    where _deleted_at is null and orderplacedat is not null
),

lines as (
    select
        id,
        {{ json_rows('lines') }} as line
    from source
),

renamed as (
    select
        ---------- ids
        'orders' as stream,
        id as record_key,
        -- ids of lines may be anything, and are in the order in which lines were added
        row_number() over (
            partition by id
            order by lpad({{ json_text('line', '$.id') }}, 40, '0')
        ) as line_no,
        ---------- line
        {{ json_text('line', '$.productVariant.productId') }} as product_key,
        {{ json_text('line', '$.productVariant.sku') }} as sku,
        {{ json_text('line', '$.productVariant.name') }} as product,
        -- what is left of the line after cancellations
        {{ json_text('line', '$.quantity') }} as quantity,
        {{ json_text('line', '$.proratedLinePriceWithTax') }} as amount
    from lines
)

select * from renamed
