with source as (
    select * from {{ source('mastodon', 'statuses') }}
    where _deleted_at is null
),

-- a new line for each break and paragraph, nothing for other marks
unmarked as (
    select
        source.*,
        regexp_replace(
            regexp_replace(source.content, '<br ?/?>|</p><p>', chr(10), 'g'), '<[^>]*>', '', 'g'
        ) as marked_text
    from source
),

-- what stands for & comes last: of &amp;lt; one mark is written, not another
plain as (
    select
        unmarked.*,
        replace(
            replace(replace(replace(replace(
                unmarked.marked_text, '&lt;', '<'
            ), '&gt;', '>'), '&quot;', '"'), '&#39;', ''''), '&amp;', '&'
        ) as plain_text
    from unmarked
),

renamed as (
    select
        ---------- ids
        id as status_id,
        reblog_id,
        in_reply_to_id,
        ---------- status
        plain_text as status_text,
        visibility,
        language,
        favourites_count,
        reblogs_count,
        replies_count,
        ---------- timestamps
        {{ moment('created_at') }} as published_at,
        {{ moment('edited_at') }} as edited_at
    from plain
)

select * from renamed
