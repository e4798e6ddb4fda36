with identifiers as (
    select * from {{ ref('record_identifiers') }}
),

blocked as (
    select * from {{ ref('blocked_identifiers') }}
),

final as (
    select
        identifiers.record,
        identifiers.source,
        identifiers.kind,
        identifiers.value,
        identifiers.place
    from identifiers
    left join blocked on identifiers.kind = blocked.kind and identifiers.value = blocked.value
    where blocked.value is null
)

select * from final
