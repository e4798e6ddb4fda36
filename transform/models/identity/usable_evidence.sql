with evidence as (
    select * from {{ ref('record_evidence') }}
),

blocked as (
    select * from {{ ref('blocked_identifiers') }}
),

final as (
    select
        evidence.record,
        evidence.kind,
        evidence.share,
        evidence.value
    from evidence
    left join blocked on evidence.kind = blocked.kind and evidence.value = blocked.value
    where blocked.value is null
)

select * from final
