with contacts as (
    select distinct
        contact,
        kind,
        value
    from {{ ref('contact_identifiers') }}
),

members as (
    select
        left_record as record,
        right_record as cluster
    from {{ ref('clustering') }}
    where rule is null
),

owned as (
    select distinct
        identifiers.kind,
        identifiers.value,
        members.cluster
    from {{ ref('usable_identifiers') }} as identifiers
    inner join members on identifiers.record = members.record
),

persons as (
    select
        record,
        tax_code_canonical as tax_code,
        coalesce(tax_code_birth_date, birth_date) as birth_date
    from {{ ref('person_records') }}
    where tax_code_canonical is not null or birth_date is not null
),

-- a tax code or birth date without a name contradicts like one with it
refused as (
    select distinct
        contacts.contact,
        members.cluster
    from contacts
    inner join {{ ref('contact_identifiers') }} as told on contacts.contact = told.contact
    inner join persons as nameless on told.record = nameless.record
    inner join owned on contacts.kind = owned.kind and contacts.value = owned.value
    inner join members on owned.cluster = members.cluster
    inner join persons on members.record = persons.record
    where
        case
            when nameless.tax_code is not null and persons.tax_code is not null
                then nameless.tax_code <> persons.tax_code
            else not coalesce(birth_dates_agree(nameless.birth_date::string, persons.birth_date::string), true)
        end
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
