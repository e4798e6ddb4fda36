with source as (
    select * from {{ source('ledger', 'holdout_shares') }}
),

renamed as (
    select
        ---------- ids
        name as holdout,
        sync,
        ---------- timestamps
        {{ moment('since') }} as used_since
    from source
)

select * from renamed
