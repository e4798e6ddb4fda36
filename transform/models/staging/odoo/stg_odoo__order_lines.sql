with source as (
    select * from {{ source('odoo', 'sale_order_lines') }}
    where _deleted_at is null
),

orders as (
    select * from {{ ref('stg_odoo__orders') }}
),

-- sections and notes sell nothing, and the lines of a deleted order go with it
sold as (
    select source.*
    from source
    inner join orders on source.order_id = orders.record_key
    where source.display_type is null
),

renamed as (
    select
        ---------- ids
        'sale_orders' as stream,
        order_id as record_key,
        id as line_no,
        ---------- line: a product's name begins with its number, in brackets
        product_id as product_key,
        nullif(regexp_extract(product_name, '^\[([^\]]+)\]', 1), '') as sku,
        coalesce(regexp_replace(product_name, '^\[[^\]]+\] ', ''), name) as product,
        round(product_uom_qty) as quantity,
        price_subtotal as amount
    from sold
)

select * from renamed
