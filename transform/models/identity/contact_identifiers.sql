with contacts as (
    select {{ record() }} as record
    from {{ ref('contact_observed') }}

    union all

    -- a person without a whole name whom nothing else tells is known by what reaches them, like a contact
    select persons.record
    from {{ ref('person_records') }} as persons
    left join {{ ref('person_members') }} as members on persons.record = members.record and members.is_settled
    where (persons.first_key is null or persons.last_key is null) and members.record is null
),

identifiers as (
    select * from {{ ref('usable_identifiers') }}
),

joined as (
    select
        identifiers.record,
        identifiers.kind,
        identifiers.value
    from identifiers
    inner join contacts on identifiers.record = contacts.record
),

-- all that one social profile left in its lead forms speaks of the profile
final as (
    select
        record,
        kind,
        value,
        coalesce(
            max(case when kind = 'handle' then 'handle:' || value end) over (partition by record),
            max(case when kind = 'tax_code' then 'tax_code:' || value end) over (partition by record),
            max(case when kind = 'email' then 'email:' || value end) over (partition by record),
            max(case when kind = 'card' then 'card:' || value end) over (partition by record),
            max(case when kind = 'phone' then 'phone:' || value end) over (partition by record)
        ) as contact
    from joined
)

select * from final
