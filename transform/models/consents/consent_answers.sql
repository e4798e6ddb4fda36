with verdicts as (
    select * from {{ ref('consent_verdicts') }}
),

contacts as (
    select * from {{ ref('consent_contacts') }}
),

voices as (
    select distinct
        record,
        voice
    from contacts
),

customers as (
    select
        record,
        customer_id
    from {{ ref('customer_ids') }}
),

-- a refusal from an address holds for whoever carries it; a consent from it holds for its only owner
refusing as (
    select distinct
        contacts.record,
        contacts.kind,
        contacts.value
    from contacts
    inner join verdicts on contacts.record = verdicts.record
    where verdicts.answer in ('denied', 'withdrawn')
),

carriers as (
    select distinct
        refusing.record,
        customers.customer_id
    from refusing
    inner join {{ ref('record_identifiers') }} as identifiers
        on refusing.kind = identifiers.kind and refusing.value = identifiers.value
    inner join customers on identifiers.record = customers.record
),

reached as (
    select
        record,
        customer_id,
        'record' as reached_by
    from customers

    union all

    select
        carriers.record,
        carriers.customer_id,
        'address' as reached_by
    from carriers
    left join customers on carriers.record = customers.record and carriers.customer_id = customers.customer_id
    where customers.record is null
),

-- only of the kinds that a refusal whose row is gone needs, for each value is hashed
carried as (
    select
        customers.customer_id,
        identifiers.record,
        identifiers.kind,
        identifiers.value
    from {{ ref('record_identifiers') }} as identifiers
    inner join customers on identifiers.record = customers.record
    where identifiers.kind in (select kept.kind from {{ ref('consent_kept') }} as kept)
),

hashed as (
    select
        carried.customer_id,
        carried.record,
        carried.kind,
        coalesce(voices.voice, carried.record) as own_voice,
        carried.kind || ':' || carried.value as voice,
        secret_key(carried.value) as value_hash
    from carried
    left join voices on carried.record = voices.record
),

-- a refusal whose row is gone is lifted, like any other, by what the person says in that source afterwards
remembered as (
    select
        kept.*,
        hashed.customer_id,
        hashed.record like kept.source || '/%' as is_own,
        case when is_own then hashed.own_voice else hashed.voice end as voice
    from {{ ref('consent_kept') }} as kept
    inner join hashed on kept.kind = hashed.kind and kept.value_hash = hashed.value_hash
    qualify
        is_own
        or not bool_or(is_own) over (
            partition by hashed.customer_id, kept.source, kept.stream, kept.record_key, kept.purpose, kept.channel
        )
),

attributed as (
    select
        reached.customer_id,
        reached.reached_by,
        verdicts.source || '|' || coalesce(voices.voice, verdicts.record) as voice,
        verdicts.source,
        verdicts.stream,
        verdicts.record_key,
        verdicts.purpose,
        verdicts.channel,
        verdicts.answer,
        verdicts.legal_basis,
        verdicts.notice_version,
        verdicts.double_opt_in,
        verdicts.given_by,
        verdicts.expires_on,
        verdicts.collected_by,
        verdicts.observed_at,
        verdicts.observed_on,
        verdicts.minimum_age,
        verdicts.valid_until,
        verdicts.reason
    from verdicts
    inner join reached on verdicts.record = reached.record
    left join voices on verdicts.record = voices.record
    where reached.reached_by = 'record' or verdicts.answer in ('denied', 'withdrawn')

    union all

    select distinct
        kept.customer_id,
        'address' as reached_by,
        kept.source || '|' || kept.voice as voice,
        kept.source,
        kept.stream,
        kept.record_key,
        kept.purpose,
        kept.channel,
        'withdrawn' as answer,
        null as legal_basis,
        null as notice_version,
        null as double_opt_in,
        null as given_by,
        null as expires_on,
        null as collected_by,
        kept.since as observed_at,
        cast(kept.since as date) as observed_on,
        null as minimum_age,
        null as valid_until,
        'withdrawn' as reason
    from remembered as kept
),

final as (
    select
        attributed.customer_id,
        attributed.reached_by,
        attributed.voice,
        attributed.source,
        attributed.stream,
        attributed.record_key,
        attributed.purpose,
        attributed.channel,
        attributed.answer,
        attributed.legal_basis,
        attributed.notice_version,
        attributed.double_opt_in,
        attributed.given_by,
        attributed.expires_on,
        attributed.collected_by,
        attributed.observed_at,
        attributed.valid_until,
        case
            when
                attributed.reason = 'granted'
                and attributed.legal_basis in ('consent', 'legitimate_interest')
                and coalesce(attributed.given_by, '') not in ('parent', 'guardian')
                and coalesce(attributed.observed_on, {{ today() }})
                < {{ years_after('ages.born_on', 'attributed.minimum_age') }}
                then 'given by a minor'
            else attributed.reason
        end as reason
    from attributed
    left join {{ ref('customer_ages') }} as ages on attributed.customer_id = ages.customer_id
)

select * from final
