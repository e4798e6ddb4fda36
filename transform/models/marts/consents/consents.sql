-- a refusal from an address that several people share holds for each of them; a consent from it holds for nobody
with shared as (
    select distinct
        contacts.record,
        owners.customer_id
    from {{ ref('contact_identifiers') }} as contacts
    inner join {{ ref('customer_identifiers') }} as owners
        on contacts.kind = owners.kind and contacts.value = owners.value
    left join {{ ref('customer_ids') }} as customers on contacts.record = customers.record
    where customers.record is null
),

speakers as (
    select
        record,
        customer_id,
        false as is_shared
    from {{ ref('customer_ids') }}

    union all

    select
        record,
        customer_id,
        true as is_shared
    from shared
),

final as (
    select
        speakers.customer_id,
        observed.purpose,
        observed.channel,
        observed.state,
        observed.legal_basis,
        observed.observed_at,
        observed.source,
        observed.stream,
        observed.record_key,
        observed.notice_version,
        observed.collected_by
    from {{ ref('consent_observed') }} as observed
    inner join speakers on {{ person_record('observed.') }} = speakers.record
    where observed.state = 'denied' or not speakers.is_shared
)

select * from final
