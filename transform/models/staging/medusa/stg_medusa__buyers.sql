with source as (
    select * from {{ source('medusa', 'orders') }}
),

accounts as (
    select id from {{ source('medusa', 'customers') }}
    where _deleted_at is null
),

-- an order of nobody, or of a customer who was deleted since
strangers as (
    select source.*
    from source
    left join accounts on source.customer_id = accounts.id
    where accounts.id is null
),

renamed as (
    select
        ---------- ids
        'orders' as stream,
        id as record_key,
        ---------- person
        {{ json_text('billing_address', '$.first_name') }} as first_name,
        {{ json_text('billing_address', '$.last_name') }} as last_name,
        ---------- identifiers
        email,
        {{ json_text('billing_address', '$.phone') }} as phone,
        ---------- address
        {{ json_text('billing_address', '$.address_1') }} as street,
        {{ json_text('billing_address', '$.postal_code') }} as postcode,
        {{ json_text('billing_address', '$.city') }} as city,
        {{ json_text('billing_address', '$.province') }} as province,
        upper({{ json_text('billing_address', '$.country_code') }}) as country,
        ---------- timestamps
        {{ moment('created_at') }} as first_seen_at,
        {{ moment('created_at') }} as observed_at
    from strangers
)

select * from renamed
