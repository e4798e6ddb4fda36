with evidence as (
    select
        left_record,
        right_record,
        rule,
        identifier_kind,
        strength
    from {{ ref('rule_edges') }}

    union all

    -- what rests on names and a home, or on names and a birth date, is evidence of that, which counts once
    select
        left_record,
        right_record,
        'likelihood' as rule,
        case
            when evidence like '%e-mail: shared%' or evidence like '%card: shared%' then 'likelihood'
            when ', ' || evidence like '%, number: %' then 'likelihood'
            when evidence not like '%birth date: same%' and evidence not like '%birth date: one slip%' then 'address'
            when evidence like '%street: same%' then 'likelihood'
            else 'name_birth'
        end as identifier_kind,
        -- only a person is certain
        least(probability, 0.999999) as strength
    from {{ ref('likelihood_pairs') }}
    where probability >= {{ var('likelihood_accept') }}

    union all

    select
        left_record,
        right_record,
        'decision' as rule,
        'decision' as identifier_kind,
        1 as strength
    from {{ ref('decisions') }}
    where verb = 'link'
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
