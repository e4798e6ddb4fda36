with source as (
    select * from {{ source('ledger', 'exclusions') }}
),

renamed as (
    select
        ---------- ids
        sync,
        key,
        customer as customer_id,
        run_id,
        ---------- what keeps them back
        gate,
        code,
        ---------- timestamps
        {{ moment('since') }} as since,
        {{ moment('until') }} as until
    from source
)

select * from renamed
