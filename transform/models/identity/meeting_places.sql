{{ config(materialized='view') }}

with evidence as (
    select * from {{ ref('usable_evidence') }}
),

asked as (
    select distinct
        share,
        at_home
    from {{ ref('rule_levels') }}
),

-- a rule that asks for one home meets at the value and the home together
final as (
    select
        evidence.record_id,
        evidence.share,
        evidence.value_id,
        false as at_home
    from evidence
    inner join asked on evidence.share = asked.share and not asked.at_home

    union all

    select
        evidence.record_id,
        evidence.share,
        {{ print_of_prints(['evidence.value_id', 'persons.home_id']) }} as value_id,
        true as at_home
    from evidence
    inner join asked on evidence.share = asked.share and asked.at_home
    inner join {{ ref('person_looks') }} as persons on evidence.record_id = persons.record_id
    where persons.home_id is not null
)

select * from final
