with source as (
    select * from {{ source('marketing', 'social') }}
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
        {{ moment('source.at') }} as observed_at
    from source
)

select * from renamed
