with source as (
    select * from {{ source('marketing', 'newsletter') }}
),

renamed as (
    select
        ---------- ids
        'newsletter' as stream,
        event_id as record_key,
        ---------- identifiers
        email,
        ---------- timestamps
        {{ moment('source.at') }} as observed_at
    from source
)

select * from renamed
