with seen as (
    select
        actor_did as did,
        actor_handle as handle,
        {{ moment('indexedAt') }} as seen_at,
        _sdc_extracted_at
    from {{ source('bluesky', 'notifications') }}
    union all
    select
        actor_did as did,
        actor_handle as handle,
        {{ moment('indexedAt') }} as seen_at,
        _sdc_extracted_at
    from {{ source('bluesky', 'likes') }}
    union all
    select
        actor_did as did,
        actor_handle as handle,
        {{ moment('indexedAt') }} as seen_at,
        _sdc_extracted_at
    from {{ source('bluesky', 'quotes') }}
    union all
    select
        actor_did as did,
        actor_handle as handle,
        null as seen_at,
        _sdc_extracted_at
    from {{ source('bluesky', 'reposts') }}
    union all
    select
        did,
        handle,
        null as seen_at,
        _sdc_extracted_at
    from {{ source('bluesky', 'followers') }}
    where _deleted_at is null
),

-- a handle may change hands and change: the one that was read last is the account's own
ranked as (
    select
        did,
        handle,
        max(seen_at) over (partition by did) as last_seen_at,
        row_number() over (
            partition by did
            order by _sdc_extracted_at desc nulls last, seen_at desc nulls last, handle asc nulls last
        ) as place
    from seen
    where did is not null
),

renamed as (
    select
        ---------- ids
        'profiles' as stream,
        did as record_key,
        ---------- identifiers
        -- all accounts whose handle nobody could verify bear this one
        nullif(lower(trim(handle)), 'handle.invalid') as handle,
        ---------- timestamps
        last_seen_at as observed_at
    from ranked
    where place = 1
)

select * from renamed
