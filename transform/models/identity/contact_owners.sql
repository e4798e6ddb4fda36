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

scored as (
    select
        contacts.contact,
        owned.cluster,
        sum(case contacts.kind when 'tax_code' then 100 when 'email' then 10 when 'card' then 10 else 1 end) as score
    from contacts
    inner join owned on contacts.kind = owned.kind and contacts.value = owned.value
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
