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
        ---------- identifiers
        handle,
        email,
        phone,
        ---------- timestamps
        {{ moment('happened_at') }} as observed_at
    from source
)

select * from renamed
