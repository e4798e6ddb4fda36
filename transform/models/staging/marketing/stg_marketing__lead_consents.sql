with source as (
    -- at is a word of SQL
    select
        raw.*,
        raw.at as happened_at
    from {{ source('marketing', 'social') }} as raw
),

renamed as (
    select
        ---------- ids
        'social' as stream,
        event_id as record_key,
        'social' as person_stream,
        event_id as person_key,
        ---------- consent
        'email_marketing' as purpose,
        'email' as channel,
        case when consent_marketing then 'granted' else 'denied' end as state,
        'consent' as legal_basis,
        'lead form' as collected_by,
        ---------- timestamps
        {{ moment('happened_at') }} as observed_at
    from source
    where consent_marketing is not null
)

select * from renamed
