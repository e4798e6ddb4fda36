with source as (
    -- at is a word of SQL
    select
        raw.*,
        raw.at as happened_at
    from {{ source('marketing', 'newsletter') }} as raw
),

renamed as (
    select
        ---------- ids
        'newsletter' as stream,
        event_id as record_key,
        'newsletter' as person_stream,
        event_id as person_key,
        ---------- consent
        'email_marketing' as purpose,
        'email' as channel,
        case lower(trim(event)) when 'subscribe' then 'granted' else 'denied' end as state,
        case lower(trim(event)) when 'subscribe' then 'consent' else 'withdrawal' end as legal_basis,
        'newsletter' as collected_by,
        ---------- timestamps
        {{ moment('happened_at') }} as observed_at
    from source
    where lower(trim(event)) in ('subscribe', 'unsubscribe')
)

select * from renamed
