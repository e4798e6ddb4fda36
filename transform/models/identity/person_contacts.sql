{{ config(materialized='view') }}

with identifiers as (
    select
        record,
        kind,
        value
    from {{ ref('usable_identifiers') }}
),

mobiles as (
    select distinct phone
    from {{ ref('phone_values') }}
    where phone_kind = 'mobile'
),

final as (
    select
        record,
        kind,
        value
    from identifiers
    where kind = 'email'

    union all

    select
        identifiers.record,
        'mobile' as kind,
        identifiers.value
    from identifiers
    inner join mobiles on identifiers.value = mobiles.phone
    where identifiers.kind = 'phone'

    union all

    -- a mailbox that bears the whole name is the person's own, not lent by a relative
    select
        identifiers.record,
        'own_email' as kind,
        identifiers.value
    from identifiers
    inner join {{ ref('person_records') }} as persons on identifiers.record = persons.record
    where
        identifiers.kind = 'email'
        and regexp_replace(split_part(identifiers.value, '@', 1), '[^a-z]', '', 'g')
        like '%' || replace(persons.first_key, ' ', '') || '%'
        and regexp_replace(split_part(identifiers.value, '@', 1), '[^a-z]', '', 'g')
        like '%' || replace(persons.last_key, ' ', '') || '%'
)

select * from final
