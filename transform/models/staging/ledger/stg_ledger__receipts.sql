with source as (
    -- at is a word of SQL
    select
        raw.*,
        raw.at as happened_at
    from {{ source('ledger', 'receipts') }} as raw
),

renamed as (
    select
        ---------- ids
        id as receipt_id,
        run_id,
        sync,
        key,
        coalesce(customer, key) as customer_id,
        ---------- what happened
        op,
        status,
        code,
        reason,
        attempt,
        fingerprint,
        ---------- timestamps
        {{ moment('happened_at') }} as received_at
    from source
)

select * from renamed
