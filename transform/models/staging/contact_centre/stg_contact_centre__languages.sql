with source as (
    select * from {{ source('contact_centre', 'calls') }}
),

renamed as (
    select
        ---------- ids
        'calls' as stream,
        uniqueid as record_key,
        'calls' as person_stream,
        uniqueid as person_key,
        ---------- attribute
        'language' as attribute,
        {{ user_field('lang') }} as value,
        'implicit' as kind,
        ---------- timestamps
        started_at as observed_at
    from source
    where {{ user_field('lang') }} is not null
)

select * from renamed
