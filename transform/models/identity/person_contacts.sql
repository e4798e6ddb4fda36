{{ config(materialized='view') }}

with identifiers as (
    select
        record,
        value,
        regexp_replace(split_part(value, '@', 1), '[^a-z]', '', 'g') as letters
    from {{ ref('usable_identifiers') }}
    where kind = 'email'
),

persons as (
    select
        record,
        replace(first_key, ' ', '') as first_letters,
        replace(last_key, ' ', '') as last_letters
    from {{ ref('person_records') }}
),

-- a mailbox that bears the whole name is the person's own, not lent by a relative
final as (
    select
        identifiers.record,
        'own_email' as kind,
        identifiers.value
    from identifiers
    inner join persons on identifiers.record = persons.record
    where
        identifiers.letters like '%' || persons.first_letters || '%'
        and identifiers.letters like '%' || persons.last_letters || '%'
)

select * from final
