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
        ---------- identifiers
        email,
        ---------- timestamps
        {{ moment('happened_at') }} as observed_at
    from source
)

select * from renamed
