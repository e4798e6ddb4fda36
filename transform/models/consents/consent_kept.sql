-- a refusal outlives its row: a source that forgot it, erased the person or changed the address did not lift it; one
-- that turned the answer of that row did
with kept as (
    select * from {{ ref('stg_published__consent_suppressions') }}
),

present as (
    select
        record,
        source,
        stream,
        record_key
    from {{ ref('consent_said') }}

    union

    select
        {{ record() }} as record,
        source,
        stream,
        record_key
    from {{ ref('contact_observed') }}

    union

    select
        {{ record() }} as record,
        source,
        stream,
        record_key
    from {{ ref('person_observed') }}
),

-- only rows that once refused are looked at, for each value is hashed
remaining as (
    select present.*
    from present
    where (present.source, present.stream, present.record_key) in (
        select (kept.source, kept.stream, kept.record_key) from kept
    )
),

borne as (
    select
        record,
        kind,
        value
    from {{ ref('record_identifiers') }}

    union

    select
        record,
        kind,
        value
    from {{ ref('consent_contacts') }}
),

bearing as (
    select distinct
        remaining.source,
        remaining.stream,
        remaining.record_key,
        borne.kind,
        secret_key(borne.value) as value_hash
    from remaining
    inner join borne on remaining.record = borne.record
),

turned as (
    select distinct
        source,
        stream,
        record_key,
        purpose
    from {{ ref('consent_verdicts') }}
    where reason = 'granted'
),

final as (
    select
        kept.kind,
        kept.value_hash,
        kept.purpose,
        kept.channel,
        kept.since,
        kept.source,
        kept.stream,
        kept.record_key
    from kept
    left join bearing
        on
            kept.source = bearing.source
            and kept.stream = bearing.stream
            and kept.record_key = bearing.record_key
            and kept.kind = bearing.kind
            and kept.value_hash = bearing.value_hash
    left join turned
        on
            kept.source = turned.source
            and kept.stream = turned.stream
            and kept.record_key = turned.record_key
            and kept.purpose = turned.purpose
    where bearing.record_key is null and turned.record_key is null
)

select * from final
