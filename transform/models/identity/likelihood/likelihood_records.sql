with changed as (
    select record from {{ ref('changed_records') }}
),

persons as (
    select * from {{ ref('person_records') }}
    where
        {{ is_somebody() }}
        and record in (select changed.record from changed)
        -- rules alone: likelihood is shown nobody
        and {{ 'true' if var('likelihood', true) else 'false' }}
),

-- a tax code is the best number a person has: where kinds differ the first ones are compared, and without a kind in
-- front it stands first
identifiers as (
    select
        record,
        kind,
        case when kind <> 'tax_code' then kind else '' end || ':' || value as number,
        value
    from {{ ref('usable_identifiers') }}
    where kind <> 'handle' and record in (select changed.record from changed)
),

-- sorted as lists: most are of one value, and a sorted aggregate takes three times as long
shared as (
    select
        record,
        array_sort(array_agg(number) filter (where kind not in ('email', 'phone', 'card', 'device'))) as numbers,
        array_sort(array_agg(value) filter (where kind = 'email')) as emails,
        array_sort(array_agg(value) filter (where kind = 'phone')) as phones,
        array_sort(array_agg(number) filter (where kind in ('card', 'device'))) as cards
    from identifiers
    group by record
),

final as (
    select
        persons.record,
        persons.first_key as first_name,
        persons.last_key as last_name,
        coalesce(persons.tax_code_birth_date, persons.birth_date)::string as birth_date,
        coalesce(persons.tax_code_sex, persons.sex) as sex,
        persons.street,
        persons.city as town,
        persons.postcode,
        persons.tax_code_canonical as tax_code,
        shared.numbers,
        shared.emails,
        shared.phones,
        shared.cards
    from persons
    left join shared on persons.record = shared.record
)

select * from final
