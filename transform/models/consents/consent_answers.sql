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

attributed as (
    select
        reached.customer_id,
        reached.reached_by,
        verdicts.*,
        verdicts.source || '|' || coalesce(voices.voice, verdicts.record) as voice
    from verdicts
    inner join reached on verdicts.record = reached.record
    left join voices on verdicts.record = voices.record
    where reached.reached_by = 'record' or verdicts.answer in ('denied', 'withdrawn')
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
