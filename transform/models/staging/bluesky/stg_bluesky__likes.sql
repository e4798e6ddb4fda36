with source as (
    select * from {{ source('bluesky', 'likes') }}
),

told as (
    select distinct
        actor_did,
        reasonsubject as post_uri
    from {{ source('bluesky', 'notifications') }}
    where reason = 'like'
),

-- those of which a notification tells are there once already
untold as (
    select source.*
    from source
    left join told on source.actor_did = told.actor_did and source.post_uri = told.post_uri
    where told.post_uri is null
),

renamed as (
    select
        ---------- ids
        'likes' as stream,
        post_uri || ' ' || actor_did as record_key,
        'profiles' as person_stream,
        actor_did as person_key,
        ---------- event
        'social_like' as kind,
        'social' as channel,
        post_uri as detail,
        ---------- timestamps
        {{ moment('indexedAt') }} as occurred_at
    from untold
)

select * from renamed
