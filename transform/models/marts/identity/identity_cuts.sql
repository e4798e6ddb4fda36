with final as (
    select
        left_record,
        right_record,
        rule,
        reason
    from {{ ref('clustering') }}
    where rule is not null
)

select * from final
