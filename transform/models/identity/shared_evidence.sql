{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook="{{ forget_touched_values() }}"
) }}

-- depends_on: {{ ref('identity_run') }}, {{ ref('touched_values') }}
with persons as (
    select
        record_id,
        name_id,
        birth_date,
        stated_birth_date,
        tax_code_id,
        home_id,
        seen_on,
        {{ print_of_prints(['name_id', 'birth_date', 'stated_birth_date', 'tax_code_id']) }} as look_id
    from {{ ref('person_looks') }}
),

names as (
    select
        name_id,
        max(first_key) as first_key,
        max(last_key) as last_key
    from {{ ref('person_looks') }}
    group by name_id
),

rules as (
    select * from {{ ref('rule_levels') }}
),

keyed as (
    select * from {{ ref('meeting_places') }}
    where {{ only_changed('value_id', 'touched_values', 'value_id') }}
),

several as (
    select value_id
    from keyed
    group by value_id
    having count(*) > 1
),

-- records that look alike follow each other as they were seen; the last of them speaks for all
met as (
    select
        keyed.share,
        keyed.value_id,
        keyed.at_home,
        persons.*,
        lead(persons.record_id) over seen as next_id,
        lead(persons.seen_on) over seen as next_seen_on
    from keyed
    inner join several on keyed.value_id = several.value_id
    inner join persons on keyed.record_id = persons.record_id
    window seen as (
        partition by keyed.value_id, persons.look_id
        order by persons.seen_on nulls first, persons.record_id
    )
),

pairs as (
    select
        record_id as one_id,
        next_id as other_id,
        share,
        value_id,
        at_home,
        name_id as left_name,
        name_id as right_name,
        birth_date as left_birth,
        birth_date as right_birth,
        stated_birth_date as left_stated,
        stated_birth_date as right_stated,
        tax_code_id as left_tax_code,
        tax_code_id as right_tax_code,
        {{ days_between('seen_on', 'next_seen_on') }} as days_apart
    from met
    where next_id is not null

    union all

    select
        lefts.record_id as one_id,
        rights.record_id as other_id,
        lefts.share,
        lefts.value_id,
        lefts.at_home,
        lefts.name_id as left_name,
        rights.name_id as right_name,
        lefts.birth_date as left_birth,
        rights.birth_date as right_birth,
        lefts.stated_birth_date as left_stated,
        rights.stated_birth_date as right_stated,
        lefts.tax_code_id as left_tax_code,
        rights.tax_code_id as right_tax_code,
        abs({{ days_between('lefts.seen_on', 'rights.seen_on') }}) as days_apart
    from met as lefts
    inner join met as rights on lefts.value_id = rights.value_id and lefts.look_id < rights.look_id
    where lefts.next_id is null and rights.next_id is null
),

levels as (
    select
        one_id,
        other_id,
        share,
        value_id,
        at_home,
        left_name,
        right_name,
        days_apart,
        {{ birth_level() }} as birth_level,
        {{ tax_level() }} as tax_level
    from pairs
),

-- names are compared last, and only where a rule would hold if they agreed
held as (
    select
        levels.one_id,
        levels.other_id,
        levels.share,
        levels.value_id,
        least(levels.left_name, levels.right_name) as left_name,
        greatest(levels.left_name, levels.right_name) as right_name,
        rules.rule,
        rules.name_level,
        rules.strength * coalesce(power(0.5, levels.days_apart / rules.half_life_days::double), 1) as strength
    from levels
    inner join rules
        on
            levels.share = rules.share
            and levels.at_home = rules.at_home
            and levels.birth_level >= rules.birth_level
            and levels.tax_level >= rules.tax_level
),

other_names as (
    select
        left_name,
        right_name,
        min(name_level) as asked
    from held
    where left_name <> right_name
    group by left_name, right_name
),

compared as (
    select
        other_names.left_name,
        other_names.right_name,
        other_names.asked,
        lefts.first_key as left_first,
        rights.first_key as right_first,
        lefts.last_key as left_last,
        rights.last_key as right_last
    from other_names
    inner join names as lefts on other_names.left_name = lefts.name_id
    inner join names as rights on other_names.right_name = rights.name_id
),

-- given names are compared at length: not where all rules ask for whole names that are not alike
named as (
    select
        left_name,
        right_name,
        {{ name_level() }} as name_level
    from compared
    where asked < 3 or {{ like_families() }}
),

final as (
    select
        least(held.one_id, held.other_id) as left_id,
        greatest(held.one_id, held.other_id) as right_id,
        held.rule,
        held.share,
        held.value_id,
        held.strength
    from held
    left join named on held.left_name = named.left_name and held.right_name = named.right_name
    where case when held.left_name = held.right_name then 4 else named.name_level end >= held.name_level
)

select * from final
