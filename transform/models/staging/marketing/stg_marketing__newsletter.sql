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
        ---------- event
        'newsletter_' || lower(trim(event)) as kind,
        'email' as channel,
        campaign as detail,
        ---------- timestamps
        {{ moment('happened_at') }} as occurred_at
    from source
)

select * from renamed
