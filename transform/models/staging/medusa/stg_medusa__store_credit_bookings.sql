with source as (
    select * from {{ source('medusa', 'store_credit_transactions') }}
),

renamed as (
    select
        ---------- ids
        'store_credit_transactions' as stream,
        id as record_key,
        account_id as card_no,
        ---------- movement
        case type when 'debit' then 'redemption' else 'accrual' end as kind,
        case type when 'debit' then -amount else amount end as amount,
        ---------- timestamps
        {{ moment('created_at') }} as moved_at
    from source
)

select * from renamed
