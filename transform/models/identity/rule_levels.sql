with rules as (
    select * from {{ ref('identity_rules') }}
),

final as (
    select
        rule,
        share,
        home = 'same' as at_home,
        case name when 'same' then 4 when 'like' then 3 when 'given' then 2 when 'not_different' then 1 else 0
        end as name_level,
        case birth_date when 'same' then 3 when 'like' then 2 when 'not_different' then 1 else 0 end as birth_level,
        case tax_code when 'same' then 2 when 'not_different' then 1 else 0 end as tax_level,
        strength,
        half_life_days
    from rules
)

select * from final
