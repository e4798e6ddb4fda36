with shared as (
    select * from {{ ref('shared_evidence') }}
),

final as (
    select
        left_record,
        right_record,
        rule,
        identifier_kind,
        max(strength) as strength
    from shared
    group by left_record, right_record, rule, identifier_kind
)

select * from final
