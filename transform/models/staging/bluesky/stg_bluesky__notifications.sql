with source as (
    select * from {{ source('bluesky', 'notifications') }}
),

renamed as (
    select
        ---------- ids
        'notifications' as stream,
        reason || ' ' || uri as record_key,
        'profiles' as person_stream,
        actor_did as person_key,
        ---------- event
        case
            when reason in ('like', 'like-via-repost') then 'social_like'
            when reason in ('repost', 'repost-via-repost') then 'social_repost'
            when reason = 'reply' then 'social_comment'
            else 'social_' || reason
        end as kind,
        'social' as channel,
        case when reason = 'mention' then uri else reasonsubject end as detail,
        ---------- timestamps
        {{ moment('indexedAt') }} as occurred_at
    from source
    -- others, such as a verified account or somebody who joined by a starter pack, tell of nothing that was done to us
    where
        reason in (
            'follow', 'like', 'like-via-repost', 'repost', 'repost-via-repost', 'mention', 'reply', 'quote'
        )
)

select * from renamed
