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
        ---------- event
        'social_' || lower(trim(kind)) as kind,
        'social' as channel,
        concat_ws('; ', post, 'followers ' || followers::string) as detail,
        ---------- timestamps
        {{ moment('happened_at') }} as occurred_at
    from source
)

select * from renamed
