with invoices as (
    select * from {{ ref('stg_odoo__invoices') }}
    -- a draft was not sent and a cancelled one withdrawn; an organisation's is nobody's
    where is_counted and person_key is not null and invoiced_on is not null
),

renamed as (
    select
        ---------- ids
        'invoices' as stream,
        invoice_key as record_key,
        person_stream,
        person_key,
        ---------- event; what is given back is negative
        case kind when 'out_refund' then 'credit_note' else 'invoice' end as kind,
        'erp' as channel,
        concat_ws('; ', invoice_no, payment_state, cast(total as decimal(18, 2))::string || ' ' || currency) as detail,
        ---------- timestamps
        {{ moment('invoiced_on') }} as occurred_at
    from invoices
)

select * from renamed
