with source as (
    -- type is a word of SQL
    select
        raw.*,
        raw.type as reason
    from {{ source('mastodon', 'notifications') }} as raw
),

own as (
    select id from {{ source('mastodon', 'statuses') }}
),

renamed as (
    select
        ---------- ids
        'notifications' as stream,
        source.id as record_key,
        'profiles' as person_stream,
        source.account_id as person_key,
        ---------- event
        case
            when source.reason = 'favourite' then 'social_like'
            when source.reason = 'reblog' then 'social_repost'
            when source.reason = 'mention' and own.id is not null then 'social_comment'
            else 'social_' || source.reason
        end as kind,
        'social' as channel,
        coalesce(own.id, source.status_id) as detail,
        ---------- timestamps
        {{ moment('source.created_at') }} as occurred_at
    from source
    left join own on source.status_in_reply_to_id = own.id
    -- others, such as a poll that ended, tell of nothing that somebody did to us
    where source.reason in ('follow', 'favourite', 'reblog', 'mention', 'quote')
)

select * from renamed
