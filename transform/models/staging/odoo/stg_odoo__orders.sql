with source as (
    select * from {{ source('odoo', 'sale_orders') }}
    where _deleted_at is null
),

buyers as (
    select * from {{ ref('stg_odoo__buyers') }}
),

joined as (
    select
        source.*,
        buyers.person_stream,
        buyers.person_key
    from source
    left join buyers on source.partner_id = buyers.partner_key
),

renamed as (
    select
        ---------- ids
        'sale_orders' as stream,
        id as record_key,
        person_stream,
        person_key,
        name as order_no,
        ---------- order
        state as status,
        -- a quotation is no order yet; done was the word for a locked order
        state in ('sale', 'done') as is_counted,
        currency_name as currency,
        amount_total as total,
        'erp' as channel,
        ---------- timestamps
        coalesce({{ moment('date_order') }}, {{ moment('create_date') }}) as ordered_at
    from joined
)

select * from renamed
