with observed as (
    select
        *,
        {{ person_record() }} as record
    from {{ ref('consent_observed') }}
),

customers as (
    select * from {{ ref('customer_ids') }}
),

-- a refusal from an address that several people share holds for each of them; a consent from it holds for nobody
owners as (
    select distinct
        contacts.record,
        shared.customer_id
    from {{ ref('contact_identifiers') }} as contacts
    inner join {{ ref('customer_identifiers') }} as shared
        on contacts.kind = shared.kind and contacts.value = shared.value
    left join customers on contacts.record = customers.record
    where customers.record is null
),

attributed as (
    select
        customers.customer_id,
        observed.*
    from observed
    inner join customers on observed.record = customers.record

    union all

    select
        owners.customer_id,
        observed.*
    from observed
    inner join owners on observed.record = owners.record
    where observed.state = 'denied'
),

final as (
    select
        customer_id,
        purpose,
        channel,
        state,
        legal_basis,
        observed_at,
        source,
        stream,
        record_key,
        notice_version,
        collected_by
    from attributed
)

select * from final
