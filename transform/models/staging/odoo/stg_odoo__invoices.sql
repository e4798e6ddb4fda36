with source as (
    select * from {{ source('odoo', 'invoices') }}
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
        id as invoice_key,
        name as invoice_no,
        person_stream,
        person_key,
        invoice_origin as order_nos,
        reversed_entry_id as reverses_invoice_key,
        ---------- invoice; what is given back is negative
        move_type as kind,
        state as status,
        payment_state,
        state = 'posted' as is_counted,
        currency_name as currency,
        case when move_type = 'out_refund' then -1 else 1 end * amount_untaxed as untaxed,
        case when move_type = 'out_refund' then -1 else 1 end * amount_total as total,
        case when move_type = 'out_refund' then -1 else 1 end * amount_residual as open_amount,
        ---------- dates
        invoice_date as invoiced_on,
        invoice_date_due as due_on,
        {{ moment('write_date') }} as observed_at
    from joined
)

select * from renamed
