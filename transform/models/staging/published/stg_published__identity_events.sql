with source as (
    select * from {{ source('published', 'identity_events') }}
),

renamed as (
    select
        ---------- ids
        event_id,
        customer_id,
        from_customer_id,
        ---------- what happened
        event,
        records,
        moved,
        stayed,
        cause,
        ---------- timestamps
        {{ moment('happened_at') }} as happened_at
    from source
)

select * from renamed
