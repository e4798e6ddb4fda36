with source as (
    select * from {{ source('medusa', 'orders') }}
),

lines as (
    select
        id,
        {{ json_rows('items') }} as line
    from source
),

renamed as (
    select
        ---------- ids
        'orders' as stream,
        id as record_key,
        -- lines have keys and no numbers; keys grow
        row_number() over (partition by id order by {{ json_text('line', '$.id') }}) as line_no,
        ---------- line
        {{ json_text('line', '$.product_id') }} as product_key,
        {{ json_text('line', '$.variant_sku') }} as sku,
        {{ json_text('line', '$.title') }} as product,
        {{ json_text('line', '$.quantity') }} as quantity,
        {{ json_text('line', '$.total') }} as amount
    from lines
)

select * from renamed
