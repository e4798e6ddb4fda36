{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns',
    pre_hook="{{ forget_records('retold_marks') }}"
) }}

-- depends_on: {{ ref('identity_run') }}, {{ ref('retold_marks') }}
with held as (
    select
        identifiers.record,
        identifiers.value
    from {{ ref('record_identifiers') }} as identifiers
    left join {{ ref('blocked_identifiers') }} as blocked
        on identifiers.kind = blocked.kind and identifiers.value = blocked.value
    where identifiers.share = 'mobile' and blocked.value is null
),

-- whether a mobile is somebody's own hangs on all who have it
asked as (
    select * from held
    where {{ only_where_kept(
        'value in (select mine.value from held as mine where ' ~ only_changed('mine.record', 'retold_marks') ~ ')'
    ) }}
),

persons as (
    select
        record,
        replace(first_key, ' ', '') as first_letters,
        replace(last_key, ' ', '') as last_letters,
        {{ initials('first_key', 'last_key') }} as initials,
        least(first_key, last_key) || ' ' || greatest(first_key, last_key) as name,
        right(year(coalesce(tax_code_birth_date, birth_date))::string, 2) as birth_year
    from {{ ref('person_records') }}
    where
        first_key is not null and last_key is not null
        and (
            {{ only_changed('record', 'retold_marks') }}
            or record in (select asked.record from asked)
        )
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
    where identifiers.kind = 'email' and {{ only_changed('identifiers.record', 'retold_marks') }}
),

-- a name and two digits: a birth year, unless the owner is known to be born in another
numbered as (
    select
        record,
        value,
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
        asked.record,
        asked.value,
        persons.initials,
        persons.name
    from asked
    inner join persons on asked.record = persons.record
),

crowded as (
    select
        value,
        count(distinct name) as names
    from mobiles
    group by value
    having count(distinct initials) > 1
),

several as (
    select distinct
        mobiles.value,
        mobiles.name
    from mobiles
    inner join crowded on mobiles.value = crowded.value
    where crowded.names <= 20
),

-- a mobile under which people of several names were seen is lent, unless they are one name with a slip
lent as (
    select value from crowded
    where names > 20

    union

    select lefts.value
    from several as lefts
    inner join several as rights on lefts.value = rights.value and lefts.name < rights.name
    where {{ slips('lefts.name', 'rights.name') }} > 1
),

-- a code that fits neither the given name of its record nor the birth date, or the surname, is somebody else's
doubted as (
    select record
    from {{ ref('person_records') }}
    where
        tax_code_canonical is not null
        and {{ only_changed('record', 'retold_marks') }}
        and not {{ letters_found('tax_code_canonical', 4, 'first_key', 'last_key') }}
        and case
            when birth_date is not null then not {{ birthdays_agree('birth_date', 'tax_code_birth_date') }}
            else not {{ letters_found('tax_code_canonical', 1, 'first_key', 'last_key') }}
        end
),

-- a mailbox that bears the whole name, or its initial and a year, is the person's own, not lent by a relative
final as (
    select
        record,
        'own_email' as kind,
        value
    from mailboxes
    where letters like '%' || first_letters || '%' and letters like '%' || last_letters || '%'

    union

    select
        record,
        'own_email' as kind,
        value
    from numbered

    union all

    -- of a mobile that is lent it is known who has it: a run after which it may be somebody's own again asks for them
    select
        mobiles.record,
        case when lent.value is null then 'own_mobile' else 'lent_mobile' end as kind,
        mobiles.value
    from mobiles
    left join lent on mobiles.value = lent.value
    where {{ only_changed('mobiles.record', 'retold_marks') }}

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
    where birth_year is not null and {{ only_changed('record', 'retold_marks') }}

    union all

    select
        record,
        'doubted' as kind,
        'tax_code' as value
    from doubted
)

select * from final
