with members as (
    select
        left_record as record,
        right_record as cluster
    from {{ ref('clustering') }}
    where rule is null
),

contacts as (
    select distinct
        record,
        contact
    from {{ ref('contact_identifiers') }}
),

owners as (
    select * from {{ ref('contact_owners') }}
),

-- an address that nobody else has is a person of its own; a telephone alone is not: anybody may have lifted it
alone as (
    select
        identifiers.contact,
        coalesce(
            min(case when identifiers.kind = 'email' then 'email:' || identifiers.value end),
            min(case when identifiers.kind = 'handle' then 'handle:' || identifiers.value end)
        ) as cluster
    from {{ ref('contact_identifiers') }} as identifiers
    left join owners on identifiers.contact = owners.contact
    where owners.contact is null and identifiers.kind in ('email', 'handle')
    group by identifiers.contact
),

joined as (
    select
        record,
        cluster,
        'person' as joined_by
    from members

    union all

    select
        contacts.record,
        owners.cluster,
        'only owner' as joined_by
    from contacts
    inner join owners on contacts.contact = owners.contact and owners.is_only

    union all

    select
        contacts.record,
        alone.cluster,
        'own address' as joined_by
    from contacts
    inner join alone on contacts.contact = alone.contact
),

seen as (
    select
        record,
        source,
        stream,
        record_key,
        first_seen_at as first_seen,
        observed_at
    from {{ ref('person_records') }}

    union all

    select
        {{ record() }} as record,
        source,
        stream,
        record_key,
        observed_at as first_seen,
        observed_at
    from {{ ref('contact_observed') }}
),

final as (
    select
        joined.record,
        joined.cluster,
        joined.joined_by,
        seen.source,
        seen.stream,
        seen.record_key,
        seen.first_seen,
        seen.observed_at
    from joined
    inner join seen on joined.record = seen.record
)

select * from final
