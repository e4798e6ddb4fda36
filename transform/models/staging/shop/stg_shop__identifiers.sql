with source as (
    select * from {{ source('shop', 'customers') }}
    where _deleted_at is null
),

renamed as (
    select
        ---------- ids
        'customers' as stream,
        id as record_key,
        ---------- identifier
        'email' as kind,
        {{ json_text('billing', '$.email') }} as value
    from source

    union all

    select
        'customers' as stream,
        id as record_key,
        'phone' as kind,
        {{ json_text('shipping', '$.phone') }} as value
    from source
)

select * from renamed
