with source as (
    select * from {{ source('vendure', 'customers') }}
    where _deleted_at is null
),

addresses as (
    select
        id,
        {{ json_rows('addresses') }} as address
    from source
),

renamed as (
    select
        ---------- ids
        'customers' as stream,
        id as record_key,
        ---------- identifier
        'phone' as kind,
        {{ json_text('address', '$.phoneNumber') }} as value
    from addresses
    where nullif(trim({{ json_text('address', '$.phoneNumber') }}), '') is not null
)

select * from renamed
