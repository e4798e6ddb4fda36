with exclusions as (
    select * from {{ ref('stg_ledger__exclusions') }}
),

final as (
    select
        sync,
        key,
        customer_id,
        gate,
        code,
        since,
        until,
        run_id
    from exclusions
)

select * from final
