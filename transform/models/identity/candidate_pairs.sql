with persons as (
    select * from {{ ref('person_records') }}
    where first_key is not null and last_key is not null
),

identifiers as (
    select * from {{ ref('usable_identifiers') }}
),

keys as (
    select
        identifiers.record,
        identifiers.kind,
        identifiers.value
    from identifiers
    inner join persons on identifiers.record = persons.record
    where identifiers.kind <> 'handle'

    union all

    -- the birth date with either half of the name, so that a slip in the other or a new surname still meets
    select
        record,
        'name_birth' as kind,
        first_key || '|' || coalesce(tax_code_birth_date, birth_date)::string as value
    from persons
    where coalesce(tax_code_birth_date, birth_date) is not null

    union all

    select
        record,
        'name_birth' as kind,
        last_key || '|' || coalesce(tax_code_birth_date, birth_date)::string as value
    from persons
    where coalesce(tax_code_birth_date, birth_date) is not null

    union all

    select
        record,
        'address' as kind,
        street_key || '|' || postcode as value
    from persons
    where street_key is not null and postcode is not null
),

final as (
    select
        lefts.record as left_record,
        rights.record as right_record,
        lefts.kind as identifier_kind
    from keys as lefts
    inner join keys as rights
        on
            lefts.kind = rights.kind
            and lefts.value = rights.value
            and lefts.record < rights.record
    group by lefts.record, rights.record, lefts.kind
)

select * from final
