with told as (
    select distinct
        contacts.kind,
        secret_key(contacts.value) as value_hash,
        verdicts.purpose,
        verdicts.channel,
        verdicts.observed_at as since,
        verdicts.source,
        verdicts.stream,
        verdicts.record_key
    from {{ ref('consent_contacts') }} as contacts
    inner join {{ ref('consent_verdicts') }} as verdicts on contacts.record = verdicts.record
    where verdicts.answer in ('denied', 'withdrawn')

    union all

    select
        kind,
        value_hash,
        purpose,
        channel,
        since,
        source,
        stream,
        record_key
    from {{ ref('consent_kept') }}
),

-- a key that a source gave twice stands once
final as (
    select
        kind,
        value_hash,
        purpose,
        channel,
        max(since) as since,
        source,
        stream,
        record_key
    from told
    group by kind, value_hash, purpose, channel, source, stream, record_key
)

select * from final
