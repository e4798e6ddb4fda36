with evidence as (
    select
        left_record,
        right_record,
        rule,
        identifier_kind,
        strength
    from {{ ref('rule_edges') }}
),

-- evidence adds up; what has faded too far joins nobody by itself
weighed as (
    select
        *,
        1 - exp(sum(ln(greatest(1 - strength, 1e-12))) over (partition by left_record, right_record)) as together
    from evidence
),

final as (
    select
        left_record,
        right_record,
        rule,
        identifier_kind,
        strength
    from weighed
    where together >= {{ var('rule_accept') }}
)

select * from final
