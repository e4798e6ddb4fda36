with source as (
    select * from {{ source('marketing', 'newsletter') }}
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
        {{ moment('source.at') }} as occurred_at
    from source
)

select * from renamed
