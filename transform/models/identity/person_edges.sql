{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook="{{ forget_edges_of('rejoined_records') }}"
) }}

-- depends_on: {{ ref('identity_run') }}, {{ ref('rejoined_records') }}
with evidence as (
    select
        left_record,
        right_record,
        rule,
        identifier_kind,
        strength
    from {{ ref('rule_edges') }}
    where
        {{ only_changed('left_record', 'rejoined_records') }}
        or {{ only_changed('right_record', 'rejoined_records') }}

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
    where
        probability >= {{ var('likelihood_accept') }}
        and (
            {{ only_changed('left_record', 'rejoined_records') }}
            or {{ only_changed('right_record', 'rejoined_records') }}
        )

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
faded as (
    select distinct
        left_record,
        right_record
    from evidence
    where strength < {{ var('rule_accept') }}
),

together as (
    select
        evidence.left_record,
        evidence.right_record,
        1 - exp(sum(ln(greatest(1 - evidence.strength, 1e-12)))) as strength
    from evidence
    inner join faded
        on evidence.left_record = faded.left_record and evidence.right_record = faded.right_record
    group by evidence.left_record, evidence.right_record
),

final as (
    select
        evidence.left_record,
        evidence.right_record,
        evidence.rule,
        evidence.identifier_kind,
        evidence.strength
    from evidence
    left join together
        on evidence.left_record = together.left_record and evidence.right_record = together.right_record
    where coalesce(together.strength, 1) >= {{ var('rule_accept') }}
)

select * from final
