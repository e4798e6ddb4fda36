-- withdrawn by who carries the identifier, now or whenever they appear
with final as (
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
)

select * from final
