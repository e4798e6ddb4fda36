with held_out as (
    select
        holdout,
        customer_id,
        drawn_at
    from {{ ref('stg_ledger__holdouts') }}
    where is_held_out
),

used as (
    select
        holdout,
        sync,
        min(used_since) as used_since
    from {{ ref('stg_ledger__holdout_shares') }}
    group by holdout, sync
),

final as (
    select
        used.sync,
        held_out.customer_id,
        held_out.holdout,
        greatest(held_out.drawn_at, used.used_since) as since
    from held_out
    inner join used on held_out.holdout = used.holdout
)

select * from final
