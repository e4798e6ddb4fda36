with evidence as (
    select * from {{ ref('record_evidence') }}
),

blocked as (
    select named_id
    from {{ ref('blocked_identifiers') }}
    where named_id is not null
),

final as (
    select
        evidence.record,
        evidence.record_id,
        evidence.kind,
        evidence.share,
        evidence.value,
        evidence.value_id
    from evidence
    left join blocked on evidence.named_id = blocked.named_id
    where blocked.named_id is null
)

select * from final
