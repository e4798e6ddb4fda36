with source as (
    select * from {{ source('published', 'consent_suppressions') }}
),

renamed as (
    select
        ---------- ids
        kind,
        value_hash,
        source,
        stream,
        record_key,
        ---------- consent
        purpose,
        channel,
        ---------- timestamps
        since
    from source
)

select * from renamed
