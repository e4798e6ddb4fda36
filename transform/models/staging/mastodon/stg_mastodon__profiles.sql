with seen as (
    select
        account_id as id,
        account_acct as acct,
        account_url as url,
        {{ moment('created_at') }} as seen_at,
        _sdc_extracted_at
    from {{ source('mastodon', 'notifications') }}
    union all
    select
        id,
        acct,
        url,
        null as seen_at,
        _sdc_extracted_at
    from {{ source('mastodon', 'favourites') }}
    union all
    select
        id,
        acct,
        url,
        null as seen_at,
        _sdc_extracted_at
    from {{ source('mastodon', 'reblogs') }}
    union all
    select
        id,
        acct,
        url,
        null as seen_at,
        _sdc_extracted_at
    from {{ source('mastodon', 'followers') }}
    where _deleted_at is null
),

-- an account may move and be called otherwise: what was read last is its own
ranked as (
    select
        id,
        lower(trim(acct)) as acct,
        lower(split_part(url, '/', 3)) as server,
        max(seen_at) over (partition by id) as last_seen_at,
        row_number() over (
            partition by id
            order by _sdc_extracted_at desc nulls last, seen_at desc nulls last, acct asc nulls last
        ) as place
    from seen
    where id is not null
),

renamed as (
    select
        ---------- ids
        'profiles' as stream,
        id as record_key,
        ---------- identifiers
        -- a name alone is one of this server's own, and somebody else's on another
        case when acct like '%@%' then acct else acct || '@' || nullif(server, '') end as handle,
        ---------- timestamps
        last_seen_at as observed_at
    from ranked
    where place = 1
)

select * from renamed
