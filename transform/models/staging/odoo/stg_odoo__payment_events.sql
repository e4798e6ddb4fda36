with payments as (
    select * from {{ ref('stg_odoo__payments') }}
    -- of a draft, or what was cancelled or rejected, no money moved; an organisation's is nobody's
    where is_counted and person_key is not null and paid_on is not null
),

renamed as (
    select
        ---------- ids
        'payments' as stream,
        payment_key as record_key,
        person_stream,
        person_key,
        ---------- event; what is paid back is negative, and the seller's deed
        case when is_paid_back then 'refund' else 'payment' end as kind,
        'erp' as channel,
        concat_ws('; ', payment_no, status, cast(amount as decimal(18, 2))::string || ' ' || currency) as detail,
        ---------- timestamps
        {{ moment('paid_on') }} as occurred_at
    from payments
)

select * from renamed
