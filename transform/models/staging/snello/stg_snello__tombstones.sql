with source as (
    select * from {{ source('snello', 'tombstones') }}
),

renamed as (
    select
        ---------- ids
        kind,
        hash as value_hash,
        source,
        stream,
        ---------- timestamps
        {{ moment('erased_at') }} as erased_at
    from source
)

select * from renamed
