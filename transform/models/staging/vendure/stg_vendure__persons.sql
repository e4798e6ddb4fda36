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

-- the address that parcels go to, else the first that was written down
homes as (
    select
        id,
        max({{ moment(json_text('address', '$.updatedAt')) }}) as told_at,
        min_by(
            address::string,
            case when {{ json_text('address', '$.defaultShippingAddress') }} = 'true' then '0' else '1' end
            || lpad({{ json_text('address', '$.id') }}, 40, '0')
        ) as address
    from addresses
    group by id
),

joined as (
    select
        source.*,
        homes.address,
        homes.told_at
    from source
    left join homes on source.id = homes.id
),

renamed as (
    select
        ---------- ids
        'customers' as stream,
        id as record_key,
        ---------- person
        firstname as first_name,
        lastname as last_name,
        ---------- identifiers
        emailaddress as email,
        phonenumber as phone,
        ---------- address
        {{ json_text('address', '$.streetLine1') }} as street,
        {{ json_text('address', '$.postalCode') }} as postcode,
        {{ json_text('address', '$.city') }} as city,
        {{ json_text('address', '$.province') }} as province,
        {{ json_text('address', '$.country.code') }} as country,
        ---------- timestamps
        {{ moment('createdat') }} as first_seen_at,
        -- an address that changes does not move the moment of its customer
        greatest({{ moment('updatedat') }}, coalesce(told_at, {{ moment('updatedat') }})) as observed_at
    from joined
)

select * from renamed
