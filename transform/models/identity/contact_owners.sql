with contacts as (
    select distinct
        contact,
        kind,
        value
    from {{ ref('contact_identifiers') }}
),

members as (
    select
        record,
        cluster
    from {{ ref('person_members') }}
    where is_settled
),

owned as (
    select distinct
        identifiers.kind,
        identifiers.value,
        members.cluster
    from {{ ref('usable_identifiers') }} as identifiers
    inner join members on identifiers.record = members.record
    where (identifiers.kind, identifiers.value) in (select (contacts.kind, contacts.value) from contacts)
),

persons as (
    select
        record,
        {{ halfway_marks() }}
    from {{ ref('person_records') }}
),

nameless as (
    select distinct
        told.contact,
        persons.tax_code,
        persons.birth_date,
        persons.sex,
        persons.name
    from persons
    inner join {{ ref('contact_identifiers') }} as told on persons.record = told.record
    where coalesce(persons.tax_code, persons.birth_date, persons.sex, persons.name) is not null
),

-- a tax code, birth date or half a name contradicts like a whole one
refused as (
    select distinct
        contacts.contact,
        members.cluster
    from contacts
    inner join nameless as lefts on contacts.contact = lefts.contact
    inner join owned on contacts.kind = owned.kind and contacts.value = owned.value
    inner join members on owned.cluster = members.cluster
    inner join persons as rights on members.record = rights.record
    where {{ halfway_contradicts() }}
),

scored as (
    select
        contacts.contact,
        owned.cluster,
        sum(case contacts.kind when 'tax_code' then 100 when 'email' then 10 when 'card' then 10 else 1 end) as score
    from contacts
    inner join owned on contacts.kind = owned.kind and contacts.value = owned.value
    left join refused on contacts.contact = refused.contact and owned.cluster = refused.cluster
    where refused.contact is null
    group by contacts.contact, owned.cluster
),

ranked as (
    select
        *,
        max(score) over (partition by contact) as best
    from scored
),

final as (
    select
        contact,
        cluster,
        count(*) over (partition by contact) = 1 as is_only
    from ranked
    where score = best
)

select * from final
