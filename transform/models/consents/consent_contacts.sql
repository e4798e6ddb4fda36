-- who spoke by an address alone: what was said holds for the address
with spoken as (
    select distinct record
    from {{ ref('consent_said') }}
),

named as (
    select record
    from {{ ref('person_records') }}
    where first_key is not null and last_key is not null
),

bare as (
    select
        {{ record() }} as record,
        lower(trim(kind)) as kind,
        case lower(trim(kind))
            when 'email' then normalise_email(value)
            when 'phone' then normalise_phone(value, 'IT')
            when 'tax_code' then tax_code_canonical(value)
            when 'card' then normalise_card(value)
            else lower(null_like(value))
        end as value
    from {{ ref('suppression_observed') }}
),

carried as (
    select
        identifiers.record,
        identifiers.kind,
        identifiers.value
    from {{ ref('record_identifiers') }} as identifiers
    inner join spoken on identifiers.record = spoken.record
    left join named on identifiers.record = named.record
    where named.record is null

    union

    select
        record,
        kind,
        value
    from bare
    where value is not null
),

-- what a form fills in, and our own number, are nobody's; an address that too many share is still theirs
listed as (
    select distinct
        carried.kind,
        carried.value
    from carried
    inner join {{ ref('blocklist') }} as blocklist
        on carried.kind = blocklist.kind and {{ fits('carried.value', 'blocklist.value') }}
),

-- within a source one address is one voice, whatever record it came in
final as (
    select
        carried.record,
        carried.kind,
        carried.value,
        coalesce(
            max(case when carried.kind = 'email' then 'email:' || carried.value end) over (partition by carried.record),
            max(case when carried.kind = 'phone' then 'phone:' || carried.value end) over (partition by carried.record),
            max(carried.kind || ':' || carried.value) over (partition by carried.record)
        ) as voice
    from carried
    left join listed on carried.kind = listed.kind and carried.value = listed.value
    where listed.value is null
)

select * from final
