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
        case lower(trim(event)) when 'unsubscribe' then 'withdrawn' else 'granted' end as state,
        case lower(trim(event)) when 'unsubscribe' then null else 'consent' end as legal_basis,
        -- the click in the mail that asks whether the subscription was meant
        case lower(trim(event)) when 'confirm' then 'confirmed' end as double_opt_in,
        'newsletter' as collected_by,
        ---------- timestamps
        {{ moment('happened_at') }} as observed_at
    from source
    where lower(trim(event)) in ('subscribe', 'confirm', 'unsubscribe')
)

select * from renamed
