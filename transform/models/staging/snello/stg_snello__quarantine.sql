with source as (
    select * from {{ source('snello', 'quarantine') }}
),

renamed as (
    select
        ---------- ids
        id,
        source,
        stream,
        ---------- what was refused
        reason
    from source
)

select * from renamed
