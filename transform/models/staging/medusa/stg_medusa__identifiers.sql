with source as (
    select * from {{ source('medusa', 'customers') }}
    where _deleted_at is null
),

addresses as (
    select
        id,
        {{ json_rows('addresses') }} as address
    from source
),

renamed as (
    select distinct
        ---------- ids
        'customers' as stream,
        id as record_key,
        ---------- identifier
        'phone' as kind,
        {{ json_text('address', '$.phone') }} as value
    from addresses
    where {{ json_text('address', '$.phone') }} is not null
)

select * from renamed
