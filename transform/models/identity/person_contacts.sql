{{ config(materialized='view') }}

with persons as (
    select
        record,
        replace(first_key, ' ', '') as first_letters,
        replace(last_key, ' ', '') as last_letters,
        {{ initials('first_key', 'last_key') }} as initials,
        right(year(coalesce(tax_code_birth_date, birth_date))::string, 2) as birth_year
    from {{ ref('person_records') }}
    where first_key is not null and last_key is not null
),

mailboxes as (
    select
        identifiers.record,
        identifiers.value,
        regexp_replace(split_part(identifiers.value, '@', 1), '[^a-z]', '', 'g') as letters,
        nullif(regexp_extract(identifiers.value, '^[a-z._-]*[a-z]([0-9]{2})@', 1), '') as number,
        persons.first_letters,
        persons.last_letters,
        persons.birth_year
    from {{ ref('usable_identifiers') }} as identifiers
    inner join persons on identifiers.record = persons.record
    where identifiers.kind = 'email'
),

-- a name and two digits: a birth year, unless the owner is known to be born in another
numbered as (
    select
        record,
        number
    from mailboxes
    where
        (
            (letters like '%' || first_letters || '%' and letters like '%' || last_letters || '%')
            or letters in (left(first_letters, 1) || last_letters, last_letters || left(first_letters, 1))
        )
        and number = coalesce(birth_year, number)
),

mobiles as (
    select
        identifiers.record,
        identifiers.value,
        persons.initials
    from {{ ref('record_identifiers') }} as identifiers
    inner join persons on identifiers.record = persons.record
    left join {{ ref('blocked_identifiers') }} as blocked
        on identifiers.kind = blocked.kind and identifiers.value = blocked.value
    where identifiers.share = 'mobile' and blocked.value is null
),

-- a mobile under which people of several names were seen is lent
own_mobiles as (
    select value from mobiles
    group by value
    having count(distinct initials) = 1
),

-- a mailbox that bears the whole name is the person's own, not lent by a relative
final as (
    select
        record,
        'own_email' as kind,
        value
    from mailboxes
    where letters like '%' || first_letters || '%' and letters like '%' || last_letters || '%'

    union all

    select
        mobiles.record,
        'own_mobile' as kind,
        mobiles.value
    from mobiles
    inner join own_mobiles on mobiles.value = own_mobiles.value

    union all

    select
        record,
        'mail_year' as kind,
        number as value
    from numbered

    union all

    select
        record,
        'year' as kind,
        number as value
    from numbered

    union all

    select
        record,
        'year' as kind,
        birth_year as value
    from persons
    where birth_year is not null
)

select * from final
