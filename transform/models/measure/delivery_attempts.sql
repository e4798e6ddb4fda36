with receipts as (
    select * from {{ ref('stg_ledger__receipts') }}
),

final as (
    select
        receipt_id,
        run_id,
        sync,
        key,
        customer_id,
        op,
        status,
        coalesce(code, '') as code,
        coalesce(reason, '') as reason,
        attempt,
        fingerprint,
        received_at
    from receipts
)

select * from final
