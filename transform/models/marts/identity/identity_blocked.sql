with final as (
    select
        kind,
        hash_key(value, kind) as value_hash,
        records,
        names,
        reason
    from {{ ref('blocked_identifiers') }}
)

select * from final
