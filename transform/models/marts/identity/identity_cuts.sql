with cuts as (
    select * from {{ ref('clustering') }}
    where rule is not null
),

final as (
    select
        left_record,
        right_record,
        rule,
        reason
    from cuts
)

select * from final
