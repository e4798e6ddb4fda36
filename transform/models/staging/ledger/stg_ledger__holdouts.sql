with source as (
    select * from {{ source('ledger', 'holdouts') }}
),

renamed as (
    select
        ---------- ids
        name as holdout,
        customer as customer_id,
        ---------- state
        held_out as is_held_out,
        ---------- timestamps
        {{ moment('since') }} as drawn_at
    from source
)

select * from renamed
