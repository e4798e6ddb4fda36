with persons as (
    select * from {{ ref('person_looks') }}
),

evidence as (
    select * from {{ ref('usable_evidence') }}
),

rules as (
    select * from {{ ref('rule_levels') }}
),

asked as (
    select
        share,
        at_home,
        min(name_level) < 3 as is_loose,
        min(birth_level) as birth_level,
        min(tax_level) as tax_level
    from rules
    group by share, at_home
),

-- a rule that asks for one home meets at the value and the home together
keyed as (
    select
        evidence.record,
        evidence.share as kind,
        evidence.value,
        false as at_home,
        asked.is_loose,
        asked.birth_level,
        asked.tax_level
    from evidence
    inner join asked on evidence.share = asked.share and not asked.at_home

    union all

    select
        evidence.record,
        evidence.share as kind,
        evidence.value || '|' || persons.home as value,
        true as at_home,
        asked.is_loose,
        asked.birth_level,
        asked.tax_level
    from evidence
    inner join asked on evidence.share = asked.share and asked.at_home
    inner join persons on evidence.record = persons.record
    where persons.home is not null
),

before as (
    {{ kept({
        'left_record': 'string', 'right_record': 'string', 'rule': 'string', 'identifier_kind': 'string',
        'value': 'string', 'at_home': 'boolean', 'strength': 'double',
    }) }}
),

changed as (
    select * from {{ ref('changed_records') }}
),

-- values that a changed record has now, or by which it was joined before
touched as (
    select
        keyed.kind,
        keyed.value,
        keyed.at_home
    from keyed
    inner join changed on keyed.record = changed.record

    union

    select
        before.identifier_kind as kind,
        before.value,
        before.at_home
    from before
    inner join changed on before.left_record = changed.record

    union

    select
        before.identifier_kind as kind,
        before.value,
        before.at_home
    from before
    inner join changed on before.right_record = changed.record
),

several as (
    select
        keyed.kind,
        keyed.value,
        keyed.at_home
    from keyed
    inner join touched
        on keyed.kind = touched.kind and keyed.value = touched.value and keyed.at_home = touched.at_home
    group by keyed.kind, keyed.value, keyed.at_home
    having count(*) > 1
),

-- records that look alike follow each other as they were seen; the last of them speaks for all
met as (
    select
        keyed.record,
        keyed.kind,
        keyed.value,
        keyed.at_home,
        keyed.is_loose,
        keyed.birth_level,
        keyed.tax_level,
        persons.look,
        persons.seen_on,
        lead(keyed.record) over seen as next_record,
        lead(persons.seen_on) over seen as next_seen_on
    from keyed
    inner join several on keyed.kind = several.kind and keyed.value = several.value and keyed.at_home = several.at_home
    inner join persons on keyed.record = persons.record
    window seen as (
        partition by keyed.kind, keyed.value, keyed.at_home, persons.look
        order by persons.seen_on nulls first, keyed.record
    )
),

pairs as (
    select
        record as one_record,
        next_record as other_record,
        kind,
        value,
        at_home,
        is_loose,
        birth_level,
        tax_level,
        look as left_look,
        look as right_look,
        {{ days_between('seen_on', 'next_seen_on') }} as days_apart
    from met
    where next_record is not null

    union all

    select
        lefts.record as one_record,
        rights.record as other_record,
        lefts.kind,
        lefts.value,
        lefts.at_home,
        lefts.is_loose,
        lefts.birth_level,
        lefts.tax_level,
        lefts.look as left_look,
        rights.look as right_look,
        abs({{ days_between('lefts.seen_on', 'rights.seen_on') }}) as days_apart
    from met as lefts
    inner join met as rights
        on
            lefts.kind = rights.kind
            and lefts.value = rights.value
            and lefts.at_home = rights.at_home
            and lefts.look < rights.look
    where lefts.next_record is null and rights.next_record is null
),

looks as (
    select distinct
        look,
        first_key,
        last_key,
        birth_date,
        stated_birth_date,
        tax_code
    from persons
),

compared as (
    select
        left_look,
        right_look,
        bool_or(is_loose) as is_loose,
        min(birth_level) as asked_birth_level,
        min(tax_level) as asked_tax_level
    from pairs
    group by left_look, right_look
),

sides as (
    select
        compared.left_look,
        compared.right_look,
        compared.is_loose,
        compared.asked_birth_level,
        compared.asked_tax_level,
        lefts.first_key as left_first,
        rights.first_key as right_first,
        lefts.last_key as left_last,
        rights.last_key as right_last,
        lefts.birth_date as left_birth,
        rights.birth_date as right_birth,
        lefts.stated_birth_date as left_stated,
        rights.stated_birth_date as right_stated,
        lefts.tax_code as left_tax_code,
        rights.tax_code as right_tax_code
    from compared
    inner join looks as lefts on compared.left_look = lefts.look
    inner join looks as rights on compared.right_look = rights.look
),

-- names are compared last: where dates or codes differ too much for any rule they need not be
dated as (
    select
        *,
        {{ birth_level() }} as birth_level,
        {{ tax_level() }} as tax_level
    from sides
),

levels as (
    select
        left_look,
        right_look,
        birth_level,
        tax_level,
        {{ name_level() }} as name_level
    from dated
    where birth_level >= asked_birth_level and tax_level >= asked_tax_level
),

found as (
    select
        least(pairs.one_record, pairs.other_record) as left_record,
        greatest(pairs.one_record, pairs.other_record) as right_record,
        rules.rule,
        pairs.kind as identifier_kind,
        pairs.value,
        pairs.at_home,
        rules.strength * coalesce(power(0.5, pairs.days_apart / rules.half_life_days::double), 1) as strength
    from pairs
    inner join levels on pairs.left_look = levels.left_look and pairs.right_look = levels.right_look
    inner join rules
        on
            pairs.kind = rules.share
            and pairs.at_home = rules.at_home
            and levels.name_level >= rules.name_level
            and levels.birth_level >= rules.birth_level
            and levels.tax_level >= rules.tax_level
),

final as (
    select * from found

    union all

    select before.*
    from before
    left join touched
        on
            before.identifier_kind = touched.kind
            and before.value = touched.value
            and before.at_home = touched.at_home
    where touched.value is null
)

select * from final
