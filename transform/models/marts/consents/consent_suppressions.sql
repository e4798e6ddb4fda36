with refusals as (
    select
        record,
        source,
        stream,
        record_key,
        purpose,
        channel,
        observed_at
    from {{ ref('consent_verdicts') }}
    where answer in ('denied', 'withdrawn')
),

refusing as (
    select distinct record
    from refusals
),

-- who refused by name is known again, once the row is gone, by what was their own
borne as (
    select
        record,
        kind,
        value
    from {{ ref('consent_contacts') }}

    union

    select
        record,
        kind,
        value
    from {{ ref('usable_identifiers') }}
    where kind in ('tax_code', 'email', 'phone', 'card')
),

hashed as (
    select
        borne.record,
        borne.kind,
        secret_key(borne.value) as value_hash
    from borne
    inner join refusing on borne.record = refusing.record
),

told as (
    select
        hashed.kind,
        hashed.value_hash,
        refusals.purpose,
        refusals.channel,
        refusals.observed_at as since,
        refusals.source,
        refusals.stream,
        refusals.record_key
    from hashed
    inner join refusals on hashed.record = refusals.record

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
        record_key,
        -- under another salt nothing here would be anybody's, so a run under another salt does not begin
        secret_key('snello') as salt_mark
    from told
    group by kind, value_hash, purpose, channel, source, stream, record_key
)

select * from final
