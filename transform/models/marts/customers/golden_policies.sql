with final as (
    select
        part,
        criteria,
        max_age_days,
        description
    from {{ ref('survivorship') }}
)

select * from final
