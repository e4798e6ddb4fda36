with receipts as (
    select * from {{ ref('stg_ledger__receipts') }}
),

final as (
    select
        sync,
        run_id,
        op,
        status,
        coalesce(code, '') as code,
        count(*) as rows,
        count(distinct customer_id) as customers,
        min(received_at) as first_at,
        max(received_at) as last_at
    from receipts
    group by sync, run_id, op, status, coalesce(code, '')
)

select * from final
