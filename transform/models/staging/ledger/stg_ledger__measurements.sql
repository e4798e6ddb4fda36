with source as (
    -- at is a word of SQL
    select
        raw.*,
        raw.at as happened_at
    from {{ source('ledger', 'measurements') }} as raw
),

renamed as (
    select
        ---------- ids
        sync,
        run_id,
        ---------- rows
        sent,
        accepted,
        matched,
        size,
        held,
        forecast,
        ---------- timestamps
        {{ moment('happened_at') }} as measured_at
    from source
)

select * from renamed
