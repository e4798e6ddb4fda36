with blocked as (
    select * from {{ ref('blocked_identifiers') }}
),

final as (
    select
        kind,
        hash_key(value, kind) as value_hash,
        records,
        reason
    from blocked
)

select * from final
