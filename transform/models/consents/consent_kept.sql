-- a refusal outlives its row: a source that forgot it, or erased the person, did not lift it; one that changed it did
with present as (
    select
        source,
        stream,
        record_key
    from {{ ref('consent_said') }}

    union

    select
        source,
        stream,
        record_key
    from {{ ref('contact_observed') }}

    union

    select
        source,
        stream,
        record_key
    from {{ ref('person_observed') }}
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
    from {{ ref('stg_published__consent_suppressions') }} as kept
    left join present
        on
            kept.source = present.source
            and kept.stream = present.stream
            and kept.record_key = present.record_key
    where present.record_key is null
)

select * from final
