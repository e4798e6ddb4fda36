with members as (
    select * from {{ ref('person_members') }}
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

gathered as (
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

marked as (
    select
        gathered.record,
        gathered.cluster,
        {{ halfway_marks() }}
    from gathered
    inner join {{ ref('person_records') }} as persons on gathered.record = persons.record
),

profiles as (
    select
        cluster,
        tax_code,
        birth_date,
        sex,
        name,
        min(record) as first_record
    from marked
    group by cluster, tax_code, birth_date, sex, name
),

-- who came by an address and contradicts another who came by it is neither of its owner nor of the other
parted as (
    select distinct
        lefts.cluster,
        lefts.tax_code,
        lefts.birth_date,
        lefts.sex,
        lefts.name,
        coalesce('tax_code:' || lefts.tax_code, 'record:' || lefts.first_record) as own_cluster
    from profiles as lefts
    inner join profiles as rights on lefts.cluster = rights.cluster and lefts.first_record <> rights.first_record
    where {{ halfway_contradicts() }}
),

alone_again as (
    select
        marked.record,
        parted.own_cluster
    from marked
    inner join parted
        on
            marked.cluster = parted.cluster
            and marked.tax_code is not distinct from parted.tax_code
            and marked.birth_date is not distinct from parted.birth_date
            and marked.sex is not distinct from parted.sex
            and marked.name is not distinct from parted.name
),

joined as (
    select
        record,
        cluster,
        'person' as joined_by
    from members
    where is_settled

    union all

    select
        members.record,
        members.cluster,
        'person' as joined_by
    from members
    left join gathered on members.record = gathered.record
    where not members.is_settled and gathered.record is null

    union all

    select
        gathered.record,
        coalesce(alone_again.own_cluster, gathered.cluster) as cluster,
        case when alone_again.record is null then gathered.joined_by else 'nobody' end as joined_by
    from gathered
    left join alone_again on gathered.record = alone_again.record
),

seen as (
    select
        record,
        source,
        stream,
        record_key,
        first_seen_at as first_seen,
        observed_at
    from {{ ref('person_said') }}

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
