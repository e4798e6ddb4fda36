with deliveries as (
    select * from {{ ref('stg_ledger__deliveries') }}
),

final as (
    select
        sync,
        key,
        customer_id,
        status,
        op,
        remote_id,
        run_id,
        updated_at
    from deliveries
)

select * from final
