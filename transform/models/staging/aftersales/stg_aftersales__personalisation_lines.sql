with source as (
    select * from {{ source('aftersales', 'personalisations') }}
),

renamed as (
    select
        ---------- ids
        'personalisations' as stream,
        order_no as record_key,
        1 as line_no,
        ---------- line
        item as product_key,
        concat_ws(', ', item, colour) as product,
        1 as quantity,
        amount
    from source
)

select * from renamed
