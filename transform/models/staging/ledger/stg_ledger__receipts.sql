with source as (
    select * from {{ source('ledger', 'receipts') }}
),

renamed as (
    select
        ---------- ids
        id as receipt_id,
        run_id,
        sync,
        key as customer_id,
        ---------- what happened
        op,
        status,
        code,
        reason,
        attempt,
        ---------- timestamps
        {{ moment('source.at') }} as received_at
    from source
)

select * from renamed
