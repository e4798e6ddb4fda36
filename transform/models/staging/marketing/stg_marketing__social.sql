with source as (
    select * from {{ source('marketing', 'social') }}
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
        {{ moment('source.at') }} as occurred_at
    from source
)

select * from renamed
