with source as (
    select * from {{ source('ledger', 'deliveries') }}
),

renamed as (
    select
        ---------- ids
        sync,
        key,
        coalesce(customer, key) as customer_id,
        run_id,
        remote_id,
        ---------- state
        status,
        op,
        ---------- timestamps
        {{ moment('updated_at') }} as updated_at
    from source
)

select * from renamed
