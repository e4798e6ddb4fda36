with source as (
    select * from {{ ref('stg_shopify__customers') }}
),

renamed as (
    select
        ---------- ids
        'customers' as stream,
        id as record_key,
        ---------- identifier
        'phone' as kind,
        {{ json_text('defaultaddress', '$.phone') }} as value
    from source
)

select * from renamed
