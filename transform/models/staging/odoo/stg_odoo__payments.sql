with source as (
    select * from {{ source('odoo', 'payments') }}
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
        id as payment_key,
        name as payment_no,
        person_stream,
        person_key,
        reconciled_invoice_ids as invoice_keys,
        coalesce(memo, ref) as reference,
        ---------- payment; what is paid back is negative
        state as status,
        -- a payment was posted before version 18, and is in process or paid since
        state in ('posted', 'in_process', 'paid') as is_counted,
        payment_type = 'outbound' as is_paid_back,
        currency_name as currency,
        case when payment_type = 'outbound' then -1 else 1 end * amount as amount,
        ---------- dates
        date as paid_on,
        {{ moment('write_date') }} as observed_at
    from joined
)

select * from renamed
