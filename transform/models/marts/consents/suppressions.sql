-- bounces, complaints and unsubscriptions: whatever a source calls the event, its last word says what it was
with events as (
    select
        {{ person_record('observed.') }} as record,
        observed.channel,
        observed.source,
        observed.occurred_at,
        regexp_extract(observed.kind, '([^_]*)$', 1) as word
    from {{ ref('interaction_observed') }} as observed
    where observed.channel is not null
),

told as (
    select
        events.channel,
        identifiers.value,
        events.source,
        events.occurred_at,
        case
            when events.word in ('bounce', 'bounced') then 'hard'
            when events.word in ('complaint', 'complained', 'spam') then 'complaint'
            when events.word in ('unsubscribe', 'unsubscribed') then 'unsubscribed'
            when events.word in ('subscribe', 'confirm') then 'joined'
            when events.word in ('open', 'click') then 'reached'
        end as said
    from events
    inner join {{ ref('record_identifiers') }} as identifiers on events.record = identifiers.record
    where identifiers.kind = case events.channel when 'email' then 'email' else 'phone' end
),

-- an address that was read after it bounced is alive, and who subscribes again is asked again
turned as (
    select
        channel,
        value,
        max(occurred_at) filter (where said in ('joined', 'reached')) as reached_at,
        max(occurred_at) filter (where said = 'joined') as joined_at
    from told
    group by channel, value
),

standing as (
    select
        told.channel,
        told.value,
        told.said as reason,
        min(told.source) as source,
        max(told.occurred_at) as since
    from told
    inner join turned on told.channel = turned.channel and told.value = turned.value
    where
        (told.said = 'hard' and coalesce(turned.reached_at < told.occurred_at, true))
        or (told.said in ('complaint', 'unsubscribed') and coalesce(turned.joined_at < told.occurred_at, true))
    group by told.channel, told.value, told.said
),

-- whoever carries the address: a bounce is of the address, a complaint or an unsubscription of the person
carried as (
    select distinct
        customers.customer_id,
        standing.channel,
        standing.reason,
        standing.source,
        standing.since,
        case when standing.reason = 'hard' then secret_key(standing.value) end as address_hash
    from standing
    inner join {{ ref('record_identifiers') }} as identifiers
        on
            standing.value = identifiers.value
            and identifiers.kind = case standing.channel when 'email' then 'email' else 'phone' end
    inner join {{ ref('customer_ids') }} as customers on identifiers.record = customers.record
),

final as (
    select
        customer_id,
        channel,
        reason,
        address_hash,
        min(source) as source,
        max(since) as since
    from carried
    group by customer_id, channel, reason, address_hash
)

select * from final
