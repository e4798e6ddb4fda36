with source as (
    select * from {{ source('contact_centre', 'calls') }}
),

-- a caller who asks to be left alone is asked about no single purpose
purposes as (
    select 'email_marketing' as purpose
    union all
    select 'sms_marketing' as purpose
    union all
    select 'phone_marketing' as purpose
    union all
    select 'profiling' as purpose
    union all
    select 'ads_audiences' as purpose
),

withdrawn as (
    select
        uniqueid,
        started_at,
        lower({{ user_field('optout') }}) as optout
    from source
    where {{ user_field('optout') }} is not null
),

renamed as (
    select
        ---------- ids
        'calls' as stream,
        withdrawn.uniqueid as record_key,
        'calls' as person_stream,
        withdrawn.uniqueid as person_key,
        ---------- consent
        purposes.purpose,
        'any' as channel,
        'withdrawn' as state,
        'contact centre' as collected_by,
        ---------- timestamps
        withdrawn.started_at as observed_at
    from withdrawn
    inner join purposes on withdrawn.optout in (purposes.purpose, 'all')
)

select * from renamed
