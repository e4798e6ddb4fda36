with rules as (
    select * from {{ ref('identity_rules') }}
),

-- a telephone is a mobile or a landline
kinds as (
    select
        'phone' as share,
        'mobile' as kind
    union all
    select
        'phone' as share,
        'landline' as kind
),

final as (
    select
        rules.rule,
        coalesce(kinds.kind, rules.share) as share,
        rules.home = 'same' as at_home,
        case rules.name
            when 'same' then 4
            when 'like' then 3
            when 'given' then 2
            when 'not_different' then 1
            else 0
        end as name_level,
        case rules.birth_date
            when 'stated' then 4
            when 'same' then 3
            when 'like' then 2
            when 'not_different' then 1
            else 0
        end as birth_level,
        case rules.tax_code
            when 'same' then 2
            when 'not_different' then 1
            else 0
        end as tax_level,
        rules.strength,
        rules.max_people,
        rules.half_life_days
    from rules
    left join kinds on rules.share = kinds.share
)

select * from final
